//! The report in a real browser: Chromium without a window. Where none is installed the tests are *ignored*, and say so;
//! `ci/nightly.sh browser` runs them.

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use threadbare_stress::campaign::state::{State, Totals};
use threadbare_stress::finding::Finding;
use threadbare_stress::finding::store::Found;
use threadbare_stress::report::collect::{Collected, Source};
use threadbare_stress::report::{self, Beside};
use threadbare_stress::triage::marks::{Marks, State as Decision};

type Check = Result<(), Failed>;

fn main() {
    let arguments = Arguments::from_args();
    let browser = browser();
    let trials: [(&str, fn(&Path) -> Check); 5] = [
        ("nothing is said on the console", silent),
        ("the address filters and sorts", address),
        ("search, filters and sorting by hand", by_hand),
        ("without its script all findings are there", without_script),
        (MANY, many),
    ];
    let trial = |(name, run): (&str, fn(&Path) -> Check)| {
        let why = match &browser {
            None => Some("no Chromium, `apt-get install chromium`"),
            Some(_) if name == MANY => Some("takes long, run by ci/nightly.sh browser"),
            Some(_) => None,
        };
        let name = why.map_or_else(|| name.to_owned(), |why| format!("{name} (ignored: {why})"));
        let browser = browser.clone().unwrap_or_else(|| PathBuf::from("chromium"));
        Trial::test(name, move || run(&browser)).with_ignored_flag(why.is_some())
    };
    libtest_mimic::run(&arguments, trials.map(trial).into()).exit();
}

/// The trial that needs more than a second or two.
const MANY: &str = "five thousand findings";

/// Chromium, as Debian and others name it.
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut all = names
        .iter()
        .flat_map(|n| folders.iter().map(move |f| f.join(n)));
    all.find(|program| program.is_file())
}

/// What the browser makes of a page.
struct Shown {
    dom: String,
    console: Vec<String>,
}

/// Loads a page; `query` follows its address.
fn load(browser: &Path, page: &str, query: &str) -> Result<Shown, Failed> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("report.html");
    std::fs::write(&file, page)?;
    let output = Command::new(browser)
        // Its own sandbox is not for root, as who runs in a container is.
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .args(["--enable-logging=stderr", "--timeout=60000"])
        .arg(format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        ))
        .arg(format!("file://{}{query}", file.display()))
        .output()?;
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    let console = errors
        .lines()
        .filter(|l| l.contains(":CONSOLE"))
        .map(str::to_owned);
    if !dom.contains("</html>") {
        let last: Vec<&str> = errors.lines().rev().take(5).collect();
        return Err(format!("the browser showed nothing; its last words: {last:?}").into());
    }
    Ok(Shown {
        dom,
        console: console.collect(),
    })
}

/// The lines of the table of findings that can be seen: severity, kind, VM.
fn visible(dom: &str) -> Vec<String> {
    let rows = dom.split("<tr data-severity=").skip(1);
    let shown = rows.filter(|row| {
        !row.split('>')
            .next()
            .is_some_and(|tag| tag.contains(" hidden"))
    });
    let cell = |row: &str, name: &str| {
        let after = row
            .split_once(&format!("{name}=\""))
            .map_or("", |(_, rest)| rest);
        after.split('"').next().unwrap_or_default().to_owned()
    };
    shown
        .map(|row| {
            let severity = row.split('"').nth(1).unwrap_or_default();
            format!(
                "{severity} {} {}",
                cell(row, "data-kind"),
                cell(row, "data-vm")
            )
        })
        .collect()
}

/// A finding at a place of its own.
fn finding(n: usize, vm: &str) -> Finding {
    let (kind, grade) = [
        ("crash", "forbidden"),
        ("outcome", "interesting"),
        ("panic", "forbidden"),
    ][n % 3];
    let subject = ["dict", "list", "set", "deque", "bytearray"][n % 5];
    // Of thousands not all are of few subjects.
    let subject = match n / 100 {
        0 => subject.to_owned(),
        family => format!("{subject}.{family}"),
    };
    serde_json::from_value(json!({
        "schema": 1, "id": format!("{subject}-{kind}-{n:08x}"), "kind": kind, "grade": grade,
        "why": "a race in Python code must not", "detail": format!("{kind} number {n} <b>"), "subject": subject,
        "place": {"line": format!("{subject}.c:{n}"), "frames": [format!("function_{n}")]},
        "frames": [format!("function_{n}"), "_PyEval_EvalFrameDefault"],
        "scenario": {
            "make": "[1, 2]", "threads": [[call(&format!("o.append({n})"))], [call("o.pop()")]], "shapes": ["slot"],
            "context": {"subject": subject, "observe": "o", "keeps": false, "callbacks": false, "size": 3000},
        },
        "vm": "python3.13t",
        "facts": {"implementation": "cpython", "version": vm, "gil_claimed": false, "speedup": 1.9,
            "interleaving": 0.5, "modules": [], "sanitizers": []},
        "seed": 1, "number": n, "outcome": null, "explained": [], "minimised": true,
        "script": {"hits": n % 4, "runs": 3 + n % 4, "limit_seconds": 5.0, "mean_seconds": 0.5}, "seen": n,
    }))
    .expect("a finding")
}

fn call(code: &str) -> serde_json::Value {
    json!({"code": code, "op": code, "form": "run", "guarantee": "atomic"})
}

/// So many distinct findings, three hunts in each of the VMs, and a mark on the first.
fn collected(n: usize, vms: &[&str]) -> Collected {
    let mut sources = Vec::new();
    for (v, vm) in vms.iter().enumerate() {
        for hunt in 0..3 {
            let name = format!("out-{vm}-{hunt}");
            // Each is seen by two of the three hunts.
            let of = (0..n).filter(|i| i % vms.len() == v && (i / vms.len()) % 3 != hunt);
            let found = of.map(|i| {
                let finding = finding(i, vm);
                let folder = Path::new(&name).join("findings").join(&finding.id);
                Found { finding, folder }
            });
            let totals = Totals {
                scenarios: 10,
                ..Totals::default()
            };
            sources.push(Source {
                state: Some(State {
                    schema: 1,
                    vm: format!("cpython {vm}"),
                    begun: Some(1_764_500_000 + 1000 * hunt as u64),
                    subjects: BTreeMap::from([
                        ("dict".into(), totals.clone()),
                        ("tuple".into(), totals),
                    ]),
                    seconds: 60.0,
                    curve: serde_json::from_value(json!([
                        {"seconds": 1.0, "scenarios": 1, "findings": 0},
                        {"seconds": 60.0, "scenarios": 20, "findings": n},
                    ]))
                    .expect("a curve"),
                    ..State::default()
                }),
                found: found.collect(),
                name,
                ..Source::default()
            });
        }
    }
    let mut collected = Collected::of(sources);
    let mut marks = Marks::default();
    marks.set(&finding(0, vms[0]), Decision::Accepted, "as it is");
    collected.marks = marks;
    collected
}

fn page(n: usize, vms: &[&str]) -> String {
    let collected = collected(n, vms);
    report::html(&collected, &|found, in_full| {
        report::beside(found, &collected.marks, in_full)
    })
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, got: T, expected: T) -> Check {
    match got == expected {
        true => Ok(()),
        false => Err(format!("{what}: {got:?}, not {expected:?}").into()),
    }
}

fn silent(browser: &Path) -> Check {
    let one = Collected::of(
        collected(4, &["3.13.5"])
            .sources
            .into_iter()
            .take(1)
            .collect(),
    );
    let pages = [
        page(12, &["3.13.5", "3.14.0"]),
        page(0, &["3.13.5"]),
        report::html(&one, &|_, _| Beside::default()),
    ];
    for page in pages {
        let shown = load(browser, &page, "")?;
        equal("console", shown.console, Vec::new())?;
    }
    // The check can fail: what a script says is seen, and what would be fetched is refused.
    let broken =
        page(3, &["3.13.5"]).replace("</body>", "<img src=\"https://localhost/x.png\"></body>");
    let shown = load(browser, &broken, "")?;
    let refused = shown
        .console
        .iter()
        .any(|l| l.contains("Content Security Policy"));
    equal("an image is refused", refused, true)
}

fn address(browser: &Path) -> Check {
    let page = page(12, &["3.13.5", "3.14.0"]);
    let rows = |query: &str| load(browser, &page, query).map(|shown| (visible(&shown.dom), shown));
    let (all, _) = rows("")?;
    equal("all", all.len(), 12)?;
    let (crashes, shown) = rows("?kind=crash&vm=cpython+3.14.0")?;
    equal(
        "of one VM",
        crashes,
        vec!["crash crash cpython 3.14.0".to_owned(); 2],
    )?;
    equal("counted", shown.dom.contains("2 of 12 findings"), true)?;
    // Their cards go with them.
    let cards = shown.dom.split("<article id=").skip(1);
    let gone = cards.filter(|card| {
        card.split('>')
            .next()
            .is_some_and(|tag| tag.contains(" hidden"))
    });
    equal("hidden cards", gone.count(), 10)?;
    equal("marked", rows("?mark=accepted")?.0.len(), 1)?;
    equal("unmarked", rows("?mark=new")?.0.len(), 11)?;
    equal("searched for", rows("?q=APPEND(7)+deque")?.0.len(), 0)?;
    equal("searched for", rows("?q=APPEND(7)+set")?.0.len(), 1)?;
    let (sorted, shown) = rows("?sort=kind")?;
    equal(
        "sorted",
        sorted.is_sorted_by_key(|row| row.split(' ').nth(1).map(str::to_owned)),
        true,
    )?;
    equal("said", shown.dom.contains("aria-sort=\"ascending\""), true)
}

/// Does in the page what a user does, and what is `expect`ed of it.
fn act(browser: &Path, page: &str, script: &str) -> Result<String, Failed> {
    const TOOLS: &str = "
const rows = () => Array.from(document.querySelectorAll('#lines tbody tr')).filter((r) => r.getClientRects().length);
const field = (name) => document.forms[0].elements[name];
const ask = (name, value) => { field(name).value = value; field(name).dispatchEvent(new Event('input', {bubbles: true})); };
const head = (text) => Array.from(document.querySelectorAll('#lines thead button')).find((b) => b.textContent === text);
const column = (n) => rows().map((r) => r.cells[n].dataset.v ?? r.cells[n].textContent);
const expect = (what, got, wanted) => {
  const [a, b] = [got, wanted].map((v) => JSON.stringify(v));
  if (a !== b) throw new Error(what + ': ' + a + ', not ' + b);
};
";
    let act = format!(
        "<pre id=\"told\"></pre><script>const told = document.getElementById('told');\ntry {{ {TOOLS}{script}\n\
         told.textContent += 'done'; }} catch (e) {{ told.textContent = e; }}</script></body>"
    );
    let shown = load(browser, &page.replace("</body>", &act), "")?;
    let told = shown
        .dom
        .split_once("<pre id=\"told\">")
        .map_or("", |(_, rest)| rest);
    let told = told.split("</pre>").next().unwrap_or_default();
    equal("console", shown.console, Vec::new())?;
    match told.ends_with("done") {
        true => Ok(told.to_owned()),
        false => Err(told.to_owned().into()),
    }
}

fn by_hand(browser: &Path) -> Check {
    let page = page(12, &["3.13.5", "3.14.0"]);
    let script = r"
expect('all', rows().length, 12);
ask('q', 'deque');
expect('searched', rows().length, 2);
expect('told', document.getElementById('count').textContent, '2 of 12 findings');
ask('q', ''); ask('severity', 'crash'); ask('kind', 'panic');
expect('filtered', rows().length, 4);
const cards = Array.from(document.querySelectorAll('article')).filter((c) => !c.hidden);
expect('cards', cards.length, 4);
ask('severity', ''); ask('kind', '');
expect('all again', rows().length, 12);
const seen = head('seen');
seen.focus();
expect('the keyboard reaches it', document.activeElement === seen, true);
seen.click();
expect('ascending', column(6), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((n) => String(2 * n)));
expect('said', seen.parentElement.getAttribute('aria-sort'), 'ascending');
seen.click();
expect('descending', column(6)[0], '22');
expect('said', seen.parentElement.getAttribute('aria-sort'), 'descending');
head('kind').click();
expect('one at a time', document.querySelectorAll('th[aria-sort]:not([aria-sort=none])').length, 1);
for (const control of document.querySelectorAll('input, select')) expect('a label', control.labels.length, 1);
for (const h of document.querySelectorAll('th')) expect('a scope', h.scope !== '', true);
";
    act(browser, &page, script)?;
    // The check can fail.
    let wrong = act(
        browser,
        &page,
        "ask('q', 'deque'); expect('searched', rows().length, 12);",
    );
    equal("a wrong expectation", wrong.is_err(), true)
}

fn without_script(browser: &Path) -> Check {
    let page = page(12, &["3.13.5", "3.14.0"]);
    // As in the browser of a reader who lets none run.
    let without = page.replace("script-src 'unsafe-inline'", "script-src 'none'");
    equal("its policy was changed", without != page, true)?;
    let shown = load(browser, &without, "?q=deque")?;
    equal("rows", visible(&shown.dom).len(), 12)?;
    // Nothing that would do nothing is shown.
    equal(
        "buttons in heads",
        shown
            .dom
            .contains("<th scope=\"col\" data-sort=\"text\"><button"),
        false,
    )?;
    equal("the form", shown.dom.contains("id=\"filter\" hidden"), true)
}

/// How long it takes is printed with `--nocapture`; a machine's speed decides nothing.
fn many(browser: &Path) -> Check {
    let vms = ["3.13.5", "3.13.15", "3.14.0", "3.15.0"];
    let collected = collected(5_000, &vms);
    let start = Instant::now();
    let page = report::html(&collected, &|found, in_full| {
        report::beside(found, &collected.marks, in_full)
    });
    println!(
        "made in {:.0} ms, {} bytes",
        1e3 * start.elapsed().as_secs_f64(),
        page.len()
    );
    let script = r"
const timed = (what, run) => {
  const start = performance.now(); run(); document.body.offsetHeight;
  told.textContent += what + ' ' + Math.round(performance.now() - start) + ' ms, ';
};
expect('all', rows().length, 5000);
timed('search', () => ask('q', 'append(77) '));
expect('searched', rows().length, 1);
timed('show all', () => ask('q', ''));
timed('filter', () => ask('vm', 'cpython 3.14.0'));
expect('filtered', rows().length, 1250);
ask('vm', '');
timed('sort', () => head('operations').click());
timed('sort numbers', () => head('seen').click());
expect('sorted', column(6).map(Number).every((n, i, all) => !i || all[i - 1] <= n), true);
";
    println!("{}", act(browser, &page, script)?);
    Ok(())
}
