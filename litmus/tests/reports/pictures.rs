//! The pictures beside the reports.

use std::path::PathBuf;
use threadbare_litmus::lang::{Engine, Limits, judge};
use threadbare_litmus::{Model, catalogue};

/// The execution that each report is about.
const PICTURES: [(&str, &str, Model); 6] = [
    ("qsbr-next-goal", "qsbr-next", Model::Tso),
    ("qsbr-next-goal-fenced", "qsbr-next-fenced", Model::Rc11),
    (
        "qsbr-attach-first-load",
        "qsbr-attach-unfenced",
        Model::Rc11,
    ),
    ("list-shared-mark", "shared-mark-relaxed", Model::Rc11),
    ("qsbr-unfenced-scan", "qsbr-scan-unfenced", Model::Rc11),
    ("qsbr-scan-for-others", "qsbr-scan-for-others", Model::Rc11),
];

#[test]
fn the_pictures_are_up_to_date() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("reports");
    for (picture, test, model) in PICTURES {
        let test = catalogue::find(test)
            .expect("a test of the catalogue")
            .test();
        let judged = judge(&test, Engine::Explorer(model), &Limits::default()).expect("no limits");
        let witness = judged.verdict.witness.expect("an execution to show");
        for (kind, text) in [("svg", &witness.svg), ("dot", &witness.dot)] {
            let path = folder.join(format!("{picture}.{kind}"));
            if std::env::var_os("UPDATE_REPORTS").is_some() {
                std::fs::write(&path, text).expect("a file beside the reports");
            }
            let found = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(
                &found,
                text,
                "{} is out of date: see the head of tests/reports/main.rs",
                path.display()
            );
        }
    }
}
