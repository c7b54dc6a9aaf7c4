//! The litmus language: what it accepts, what it says about the rest.

use std::time::Duration;

use threadbare_litmus::lang::reference::{Machine, outcomes};
use threadbare_litmus::lang::{Coverage, Frequency, Observation, Test, Verdict};

const SB: &str = r#"C SB+sc-fences
"Store buffering with fences"
Family=SB
(* comments (* nest *) here *)
{ [x]=0; int y = 0; 0:r1 = 7 }

P0 (atomic_int* x, volatile atomic_long* y) {
  atomic_store_explicit(x, 1, memory_order_relaxed); // C comments here
  atomic_thread_fence(memory_order_seq_cst);
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
}

P1 (_Atomic(int)* x, _Atomic int* y) {
  atomic_store_explicit(y, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_seq_cst);
  int r0;
  r0 = atomic_load_explicit(x, memory_order_relaxed);
}

locations [x; 0:r1;]
exists (0:r0=0 /\ 1:r0=0 \/ ~(x=1))
"#;

/// Everything the language has, in one text.
const RICH: &str = r"C rich
{ d=5; int flag=0x10; }
P0 (int* d, atomic_int* flag, int* e) {
  int a = *d + 2 * (3 - 1), b = -a;
  *d = a << 1 == 2;
}
exists (0:a=1)
";

#[test]
fn a_printed_test_reads_as_written() {
    let test = Test::parse(SB).unwrap_or_else(|error| panic!("{}", error.render("SB", SB)));
    insta::assert_snapshot!(test.to_string());
}

/// Each text is wrong in one way; the messages are the specification.
#[test]
fn wrong_texts_get_the_place_and_the_way_out() {
    let thread = |body: &str| {
        format!("C t\n{{ x=0; }}\nP0 (atomic_int* x, int* d) {{\n  {body}\n}}\nexists (x=1)\n")
    };
    let mut texts: Vec<String> = [
        "",
        "LISA t\n{}\n",
        "C\n",
        "C t\nnonsense\n{}",
        "C t\n\"open",
        "C t\n{ x=0; x=1; }\nP0 (int* x) { }",
        "C t\n{ x=&y; }\nP0 () { }",
        "C t\n{ 3:r0=1; }\nP0 () { }",
        "C t\n{ x=99999999999999999999; }\nP0 () { }",
        "C t\n{ x=0 y=0 }\nP0 () { }",
        "C t\n{}\nexists (x=0)",
        "C t\n{}\nP1 () { }",
        "C t\n{}\nP0 (int x) { }",
        "C t\n{}\nP0 (int* x, int* x) { }",
        "C t\n{}\nP0 (int* x) { int r0 = 1; }\nexists (0:r1=1)",
        "C t\n{}\nP0 (int* x) { }\nexists (y=1)",
        "C t\n{}\nP0 (int* x) { }\nexists (1:r0=1)",
        "C t\n{}\nP0 (int* x) { }\nexists (x 1)",
        "C t\n{}\nP0 (int* x) { }\n~forall (x=1)",
        "C t\n{}\nP0 (int* x) { }\nmaybe (x=1)",
        "C t\n{}\nP0 (int* x) { }\nexists (x=1) exists (x=2)",
        "C t\n{}\nP0 (int* x) { /* no end",
        "C t (* no end",
        "C t\n{}\nP0 (int* x) {",
        "C t\n{} @",
    ]
    .map(String::from)
    .to_vec();
    texts.extend(
        [
            "break;",
            "r0;",
            "x = 1;",
            "int x = 1;",
            "int r0 = r1;",
            "int r0 = frobnicate(x);",
            "atomic_store_explicit(x, 1, memory_order_acquire);",
            "int r0 = atomic_load_explicit(x, memory_order_release);",
            "int r0 = atomic_load_explicit(x, acquire);",
            "int e = 0; atomic_compare_exchange_strong_explicit(x, &e, 1, memory_order_acq_rel, memory_order_release);",
            "atomic_compare_exchange_strong(x, 0, 1);",
            "atomic_compare_exchange_strong(x, &e, 1);",
            "atomic_store(y, 1);",
            "int r0 = 1 + ;",
            "if (1) { } else { } else { }",
            "atomic_signal_fence(memory_order_seq_cst);",
            "int r0 = 1",
        ]
        .map(thread),
    );
    texts.push(thread(&format!(
        "int r0 = {}1{};",
        "(".repeat(1000),
        ")".repeat(1000)
    )));
    texts.push(thread(&"if (1) ".repeat(1000)));
    texts.push(thread(&format!("int r0 = 1{};", " + 1".repeat(5000))));
    texts.push((0..300).fold("C many\n{ }\n".to_string(), |text, n| {
        text + &format!("P{n} () {{ }}\n")
    }));
    let mut messages = String::new();
    for text in texts {
        let error = Test::parse(&text).expect_err(&text);
        let clipped: String = error
            .render("t.litmus", &text)
            .lines()
            .map(|line| {
                line.chars()
                    .take(160)
                    .collect::<String>()
                    .trim_end()
                    .to_string()
                    + "\n"
            })
            .collect();
        messages += &(clipped + "\n");
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn expressions_follow_c() {
    let rich = Test::parse(RICH).unwrap_or_else(|error| panic!("{}", error.render("t", RICH)));
    assert_eq!(Test::parse(&rich.to_string()), Ok(rich));
    let value = |expression: &str| {
        let text = format!(
            "C t\n{{ x=3; d=4; }}\nP0 (atomic_int* x, int* d) {{ int a = 5; int r = {expression}; }}\nexists (0:r=0)"
        );
        let code = Test::parse(&text)
            .unwrap_or_else(|error| panic!("{}", error.render("t", &text)))
            .lower();
        let all = outcomes(&code, Machine::Interleaving, 1000).expect("small");
        assert_eq!(all.len(), 1);
        all.first().expect("one")[0]
    };
    assert_eq!(value("1 + 2 * 3"), 7);
    assert_eq!(value("(1 + 2) * 3"), 9);
    assert_eq!(value("10 - 3 - 2"), 5);
    assert_eq!(value("1 | 2 ^ 3 & 2"), 1);
    assert_eq!(value("2 == 1 + 1"), 1);
    assert_eq!(
        value("4 & 4 == 4"),
        0,
        "== binds tighter than &, in C and in herd"
    );
    assert_eq!(value("1 < 2 == 1"), 1);
    assert_eq!(value("!a + -a"), -5);
    assert_eq!(value("-(-3)"), 3);
    assert_eq!(value("*d + atomic_load(x)"), 7);
    assert_eq!(value("0 && atomic_fetch_add(x, 1)"), 0);
    assert_eq!(value("1 || atomic_fetch_add(x, 1)"), 1);
    assert_eq!(
        value("0 * (1 && atomic_fetch_add(x, 1)) + atomic_load(x)"),
        4
    );
    assert_eq!(
        value("0 * (0 && atomic_fetch_add(x, 1)) + atomic_load(x)"),
        3
    );
    assert_eq!(
        value("a + 10 * atomic_compare_exchange_strong(x, &a, 9) + 100 * a"),
        5 + 300
    );
    assert_eq!(
        value("atomic_compare_exchange_strong(x, d, 9) * 10 + *d"),
        3,
        "the found value goes to *d"
    );
    assert_eq!(value("(9223372036854775807 + 1) >> 40"), i64::MIN >> 40);
}

#[test]
fn conditions_follow_herd() {
    let holds = |condition: &str| {
        let text = format!(
            "C t\n{{ x=1; y=2; 0:r0=1; }}\nP0 (int* x, int* y) {{ }}\nexists ({condition})"
        );
        let code = Test::parse(&text)
            .unwrap_or_else(|error| panic!("{}", error.render("t", &text)))
            .lower();
        let all = outcomes(&code, Machine::Interleaving, 10).expect("small");
        code.holds(&code.condition.prop, all.first().expect("one"))
    };
    assert!(holds("x=4294967297 /\\ y!=1"), "1, in 32 bits");
    assert!(holds("x=1 /\\ [y]=2"));
    assert!(holds("x=1 \\/ x=2 /\\ x=3"), "/\\ binds tighter than \\/");
    assert!(holds("x=2 => x=3"));
    assert!(!holds("x=1 => x=1 /\\ x=3"), "=> binds tighter than /\\");
    assert!(holds("~x=2 /\\ not (y=1) /\\ y!=1"));
    assert!(holds("0:r0=[x] /\\ ~([x]=[y]) /\\ P0:r0 == 1"));
    assert!(holds("true /\\ ~false"));
}

/// The report's text, from an observation made up by hand.
#[test]
fn a_report_reads_as_herds() {
    let code = Test::parse(SB).expect("a test").lower();
    let all = outcomes(&code, Machine::Interleaving, 1000).expect("small");
    let report = |coverage, race: Option<&str>| {
        let states = all.iter().cloned().zip(1..).collect();
        let race = race.map(String::from);
        let elapsed = Duration::ZERO;
        let seen = Observation {
            states,
            race,
            witness: None,
            coverage,
            elapsed,
        };
        Verdict::new(&code, &seen).to_string()
    };
    let sampled = Coverage::Sampled {
        runs: 6,
        seed: Some(1),
    };
    let text =
        report(Coverage::Exhaustive, None) + "\n" + &report(sampled, Some("of x, by P0 and P1"));
    insta::assert_snapshot!(text);
}

/// `~exists` and `forall` claim, `exists` asks; a filter removes outcomes.
#[test]
fn conditions_are_judged() {
    let verdict = |condition: &str| {
        let text = format!(
            "C t\n{{ x=0; }}\nP0 (atomic_int* x) {{ atomic_store(x, 1); }}\nP1 (atomic_int* x) {{ int r = atomic_load(x); }}\n{condition}"
        );
        let code = Test::parse(&text)
            .unwrap_or_else(|error| panic!("{}", error.render("t", &text)))
            .lower();
        let states = outcomes(&code, Machine::Interleaving, 1000)
            .expect("small")
            .into_iter()
            .map(|outcome| (outcome, 1));
        let (coverage, elapsed) = (Coverage::Exhaustive, Duration::ZERO);
        let seen = Observation {
            states: states.collect(),
            race: None,
            witness: None,
            coverage,
            elapsed,
        };
        let verdict = Verdict::new(&code, &seen);
        (verdict.ok, verdict.frequency, verdict.is_finding())
    };
    assert_eq!(
        verdict("exists (1:r=0)"),
        (true, Frequency::Sometimes, false)
    );
    assert_eq!(verdict("exists (1:r=2)"), (false, Frequency::Never, false));
    assert_eq!(verdict("~exists (1:r=2)"), (true, Frequency::Never, false));
    assert_eq!(
        verdict("~exists (1:r=0)"),
        (false, Frequency::Sometimes, true)
    );
    assert_eq!(verdict("forall (x=1)"), (true, Frequency::Always, false));
    assert_eq!(
        verdict("forall (1:r=1)"),
        (false, Frequency::Sometimes, true)
    );
    assert_eq!(
        verdict("filter (1:r=1) forall (1:r=1)"),
        (true, Frequency::Always, false)
    );
}
