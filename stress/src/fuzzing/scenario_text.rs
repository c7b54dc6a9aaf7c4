//! Target `scenario_text`: scenarios, findings and a hunt's progress as files hold them.

use super::edit::edited;
use super::example::{finding, state};
use crate::campaign::state::State;
use crate::finding::Finding;
use crate::scenario::Scenario;
use crate::scenario::render::source;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::LazyLock;

static TEXTS: LazyLock<[String; 3]> = LazyLock::new(|| {
    let pretty = |value: serde_json::Value| serde_json::to_string_pretty(&value).expect("JSON");
    let finding = finding();
    let json = |value: &Finding| serde_json::to_value(value).expect("it serialises");
    [
        finding.scenario.to_text(),
        pretty(json(&finding)),
        pretty(serde_json::to_value(state()).expect("it serialises")),
    ]
});

const WORDS: [&str; 28] = [
    "\"",
    "'",
    "'''",
    "\n",
    "\\n",
    "\\u0000",
    "[",
    "]",
    "[[threads]]",
    "{",
    "}",
    ",",
    ":",
    "=",
    "null",
    "true",
    "-1",
    "0.5",
    "1e999",
    "18446744073709551616",
    "slot",
    "stride",
    "do",
    "run",
    "atomic",
    "crash",
    "é",
    "\u{0}",
];

/// What is read, is written so that it reads back as the same.
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(read: &T) {
    let text = serde_json::to_string_pretty(read).expect("it serialises");
    let again: T = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(&again, read, "{text}");
}

/// A text that is accepted as a scenario, a finding or a hunt's progress is written so that it reads
/// back as the same, and can be shown, rendered and named; any other is refused without a panic.
///
/// # Panics
/// When it is not so.
pub fn scenario_text(bytes: &[u8]) {
    let texts = TEXTS.each_ref().map(String::as_str);
    let text = edited(bytes, &texts, &WORDS);
    if let Ok(scenario) = Scenario::from_text(&text) {
        let again = Scenario::from_text(&scenario.to_text()).expect("own text parses");
        assert_eq!(again, scenario);
        assert_eq!(again.hash(), scenario.hash());
        assert_eq!(source(&again), source(&scenario));
        assert!(scenario.to_string().starts_with("o = "));
    }
    if let Ok(finding) = serde_json::from_str::<Finding>(&text) {
        round_trip(&finding);
        let safe = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        assert!(finding.make_id().chars().all(safe), "{}", finding.make_id());
        assert!(finding.script_text().contains("hit"));
    }
    if let Ok(state) = serde_json::from_str::<State>(&text) {
        round_trip(&state);
    }
}
