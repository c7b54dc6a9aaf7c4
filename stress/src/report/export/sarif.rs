//! SARIF 2.1.0, for code-scanning services.
//!
//! Source: OASIS, *Static Analysis Results Interchange Format (SARIF) Version 2.1.0*, sections 3.27 (result),
//! 3.35 (suppression) and 3.49 (reportingDescriptor).

use super::{Hunt, breaks, excused, file};
use crate::triage::Entry;
use crate::verdict::Kind;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The findings of hunts as one SARIF log: a result for each finding, a rule for each kind of failure. A finding
/// marked as known or accepted is a suppressed result.
pub fn sarif(hunts: &[Hunt]) -> String {
    let entries: Vec<&Entry> = hunts.iter().flat_map(|h| &h.entries).collect();
    let kinds: BTreeSet<Kind> = entries.iter().map(|e| e.finding.kind).collect();
    let rules: Vec<Value> = kinds.iter().map(|k| json!({"id": k.name()})).collect();
    let results: Vec<Value> = entries.into_iter().map(result).collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "threadbare",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn result(entry: &Entry) -> Value {
    let finding = &entry.finding;
    let mut result = json!({
        "ruleId": finding.kind.name(),
        "level": if breaks(entry) { "error" } else { "warning" },
        "message": {"text": format!("{} ({}): {}", finding.line(), finding.facts.title(), finding.why)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&file(entry))},
            "region": {"startLine": 1},
        }}],
        // The id is of the VM, the subject and the place: the same failure has it in every hunt.
        "partialFingerprints": {"finding/v1": finding.id},
        "properties": {
            "severity": entry.severity(),
            "grade": finding.grade,
            "seen": finding.seen,
            "script": finding.script,
        },
    });
    if let Some(why) = excused(entry) {
        result["suppressions"] = json!([{"kind": "external", "justification": why}]);
    }
    result
}

/// A path as a URI reference (RFC 3986): what a path segment may not hold is percent-encoded.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_path_is_a_uri_reference() {
        assert_eq!(
            uri("out/findings/a-1/repro.py"),
            "out/findings/a-1/repro.py"
        );
        assert_eq!(uri("my out/ä#1"), "my%20out/%C3%A4%231");
    }
}
