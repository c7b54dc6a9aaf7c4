//! Reports of real sanitizers (recorded by `tests/sanitizer/record.sh`), whole, cut and mixed.

use proptest::prelude::*;
use std::fmt::Write as _;
use threadbare_stress::verdict::sanitizer::{Report, Tool, parse};

/// Name and text of every recording.
fn recordings() -> Vec<(String, String)> {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sanitizer");
    let mut all: Vec<(String, String)> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "txt"))
        .map(|p| {
            let name = p.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&p).unwrap())
        })
        .collect();
    all.sort();
    assert!(all.len() > 20, "{} recordings", all.len());
    all
}

/// A report in two lines or so: signature, stacks by role, whether it is whole.
fn short(report: &Report) -> String {
    let mut out = format!("{:?} {}", report.tool, report.signature());
    let _ = write!(out, "{}", if report.complete { "" } else { " (cut)" });
    for stack in &report.stacks {
        let _ = write!(
            out,
            "\n    {:?} {} frames: {}",
            stack.role,
            stack.frames.len(),
            stack.head
        );
    }
    out
}

#[test]
fn every_recording_is_read() {
    let mut out = String::new();
    for (name, text) in recordings() {
        let _ = writeln!(out, "== {name}");
        for report in parse(&text) {
            let _ = writeln!(out, "{}", short(&report));
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn every_report_of_an_output_is_counted() {
    let all = recordings();
    let counts: Vec<usize> = all.iter().map(|(_, t)| parse(t).len()).collect();
    let whole: String = all.iter().map(|(_, t)| t.as_str()).collect();
    assert_eq!(parse(&whole).len(), counts.iter().sum::<usize>());
    // The tool counts its own.
    for (name, text) in all.iter().filter(|(n, _)| n.starts_with("tsan")) {
        let said = text
            .rsplit("reported ")
            .next()
            .unwrap()
            .split(' ')
            .next()
            .unwrap();
        assert_eq!(parse(text).len(), said.parse::<usize>().unwrap(), "{name}");
    }
}

#[test]
fn the_order_of_the_accesses_makes_no_other_race() {
    let text = &recordings()
        .into_iter()
        .find(|(n, _)| n == "tsan-race")
        .unwrap()
        .1;
    let swapped = text
        .replace("item_length", "@")
        .replace("item_resize", "item_length")
        .replace('@', "item_resize");
    assert_eq!(parse(text)[0].signature(), parse(&swapped)[0].signature());
    let other = text.replace("item_resize", "item_shrink");
    assert_ne!(parse(text)[0].signature(), parse(&other)[0].signature());
}

#[test]
fn a_report_that_a_kill_cut_off_is_still_one() {
    for (name, text) in recordings() {
        let whole = parse(&text).len();
        let first = parse(&text)[0].clone();
        let end = text.find("SUMMARY: ").unwrap();
        let cut = parse(&text[..end]);
        assert!(!cut.is_empty() && cut.len() <= whole, "{name}");
        assert_eq!(
            cut[0].signature(),
            first.signature(),
            "{name}: all its stacks stand before the summary"
        );
        assert!(
            cut[0].complete == (first.tool == Tool::Undefined || cut.len() > 1),
            "{name}"
        );
    }
}

/// Lines that VMs print and that are no part of a report.
fn noise() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("O\t3\t12\tNone | [1, 2]".to_owned()),
        Just("Fatal Python error: Segmentation fault".to_owned()),
        Just("  File \"<string>\", line 3 in thread0".to_owned()),
        Just("#0  0x00007f in list_resize (self=0x7f) at Objects/listobject.c:99".to_owned()),
        Just("thread 'main' panicked at src/x.rs:1:2:".to_owned()),
        Just("==================".to_owned()),
        Just(String::new()),
        "[ -~]{0,60}".prop_filter("reads like a report", |l| {
            !l.contains("Sanitizer")
                && !l.contains("runtime error")
                && !l.contains('#')
                && !l.contains(" of size ")
                && !l.contains(" is ")
                && !l.contains(':')
                && !l.starts_with("0x")
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_stands_between_a_reports_lines_does_not_matter(
        which in any::<prop::sample::Index>(),
        lines in prop::collection::vec((any::<prop::sample::Index>(), noise()), 0..40),
    ) {
        let all = recordings();
        let (name, text) = &all[which.index(all.len())];
        let mut mixed: Vec<String> = text.lines().map(str::to_owned).collect();
        for (at, line) in lines {
            let at = at.index(mixed.len() + 1);
            mixed.insert(at, line);
        }
        prop_assert_eq!(parse(text), parse(&mixed.join("\n")), "{}", name);
    }

    #[test]
    fn any_cut_of_any_recordings_is_read_without_panic(
        which in any::<prop::sample::Index>(), start in any::<prop::sample::Index>(), end in any::<prop::sample::Index>(),
    ) {
        let all = recordings();
        let text = &all[which.index(all.len())].1;
        let (a, b) = (start.index(text.len() + 1), end.index(text.len() + 1));
        let piece = String::from_utf8_lossy(&text.as_bytes()[a.min(b)..a.max(b)]).into_owned();
        for report in parse(&piece) {
            report.signature();
            report.text(3);
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in "(    #|[0-9]|:|\\(|\\)|\\+0x|WARNING: ThreadSanitizer: |ERROR: AddressSanitizer: |: runtime error: |Direct leak of |SUMMARY: |\n| of size | by thread T|[a-z<>é]){0,80}") {
        for report in parse(&text) {
            report.signature();
            report.text(3);
        }
    }
}
