//! How outcomes are written, for those that a person types: what no value is ever written as, no order gives,
//! and that would be blamed on the VM.
//!
//! The forms are those of `harness/render.py`. What stands in `<…>` or after an exception's `!` is free text.

use crate::history::slots;

/// Why no run of a scenario with so many operations could write this outcome; `None` if one could.
pub fn refusal(outcome: &str, operations: usize) -> Option<String> {
    let found = slots(outcome).count();
    if found != operations + 1 {
        return Some(format!(
            "it has {found} parts, and this scenario's outcomes have {}: what each operation returns, then the final state, with ` | ` between them",
            operations + 1
        ));
    }
    slots(outcome).find_map(|slot| Some(format!("`{slot}`: {}", fault(slot)?)))
}

/// What a person may have meant by an outcome that is refused.
pub fn meant(outcome: &str, operations: usize) -> Option<String> {
    let mut fixed = outcome.replace(",)", ")").replace(", )", ")");
    if !fixed.contains(['\'', '"']) {
        fixed = fixed.replace(", ", ",").replace(',', ", ");
        fixed = fixed.replace("set({", "set{").replace("})", "}");
        fixed = fixed.replace("frozenset()", "frozenset{}");
        fixed = fixed.replace("set()", "set{}");
    }
    (fixed != outcome && refusal(&fixed, operations).is_none()).then_some(fixed)
}

/// What is wrong with one slot's text.
fn fault(slot: &str) -> Option<String> {
    if slot == "*" {
        return None;
    }
    match value(slot) {
        Ok("") => None,
        Ok(rest) => Some(format!("nothing is written with `{rest}` after a value")),
        Err(why) => Some(why),
    }
}

/// Takes a value off the front of a text; what follows it.
fn value(text: &str) -> Result<&str, String> {
    let first = text.chars().next().ok_or("a value is missing")?;
    match first {
        // Free text to its end.
        '!' if text.len() > 1 => Ok(""),
        '<' if text.contains('>') => Ok(""),
        '(' => items(&text[1..], ')'),
        '[' => items(&text[1..], ']'),
        '{' => pairs(&text[1..]),
        '\'' | '"' => string(text),
        'b' | 'u' if text[1..].starts_with(['\'', '"']) => string(&text[1..]),
        '.' => (text.strip_prefix("...")).ok_or_else(|| format!("`{text}` is no value")),
        _ => word(text),
    }
}

/// What is neither a container nor a string: numbers, names, and the forms that begin with one.
fn word(text: &str) -> Result<&str, String> {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && !"_.+-?".contains(c))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let number = |w: &str| {
        let digits = w.strip_prefix('-').unwrap_or(w);
        digits.starts_with(|c: char| c.is_ascii_digit()) || ["inf", "nan"].contains(&digits)
    };
    let token = |w: &str| {
        let n = w.strip_prefix('t');
        n.is_some_and(|n| n == "?" || n.len() == 1 && n.starts_with(|c: char| c.is_ascii_digit()))
    };
    if let Some(inside) = rest.strip_prefix('{') {
        return match word {
            "set" | "frozenset" => items(inside, '}'),
            _ => Err(format!("nothing is written as `{word}{{…}}`")),
        };
    }
    if let Some(inside) = rest.strip_prefix('(') {
        return match word {
            "range" | "bytearray" => items(inside, ')'),
            // Its type code stands there as it is.
            "array" | "memoryview" => {
                let (_, list) = inside.split_once(", ").ok_or("its items are missing")?;
                let rest = value(list)?;
                (rest.strip_prefix(')')).ok_or_else(|| format!("`{word}(` is not closed"))
            }
            "set" | "frozenset" => Err(format!("a {word} is written {word}{{1, 2}}")),
            _ => Err(format!(
                "an object is written <{word} …>, not as the call that makes it"
            )),
        };
    }
    let named = ["None", "True", "False"].contains(&word);
    if named || number(word) || token(word) {
        Ok(rest)
    } else {
        Err(format!("`{text}` is no value"))
    }
}

/// The items of a container up to its end.
fn items(text: &str, end: char) -> Result<&str, String> {
    list(text, end, value)
}

fn pairs(text: &str) -> Result<&str, String> {
    list(text, '}', |text| {
        let rest = value(text)?;
        let rest = rest.strip_prefix(": ").ok_or_else(|| {
            if rest.starts_with(':') {
                "a dict is written {1: 2}, with a blank".to_owned()
            } else {
                "a set is written set{1, 2}".to_owned()
            }
        })?;
        value(rest)
    })
}

fn list(
    text: &str,
    end: char,
    item: impl Fn(&str) -> Result<&str, String>,
) -> Result<&str, String> {
    if let Some(rest) = text.strip_prefix(end) {
        return Ok(rest);
    }
    let mut rest = text;
    loop {
        // Free text may have held the end.
        rest = item(rest)?;
        if rest.is_empty() && text.contains(['!', '<']) {
            return Ok("");
        }
        if let Some(after) = rest.strip_prefix(end) {
            return Ok(after);
        }
        let Some(after) = rest.strip_prefix(", ") else {
            return Err(match rest.chars().next() {
                Some(',') if rest[1..].starts_with(end) => {
                    "a tuple of one is written (2), without a comma".to_owned()
                }
                Some(',') => "items are written with a comma and a blank between them".to_owned(),
                _ => format!("`{end}` is missing"),
            });
        };
        // What many items end with.
        if let Some(more) = after.strip_prefix('+') {
            let closed = more.split_once(end).map(|(_, after)| after);
            return closed.ok_or_else(|| format!("`{end}` is missing"));
        }
        rest = after;
    }
}

/// A string as `repr` writes it.
fn string(text: &str) -> Result<&str, String> {
    let quote = text.chars().next().expect("it begins with a quote");
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => {
                let inside = &text[1..i];
                return if quote == '"' && !inside.contains('\'') {
                    Err("a string is written with '".to_owned())
                } else {
                    Ok(&text[i + 1..])
                };
            }
            _ => {}
        }
    }
    Err(format!("{quote} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_written_is_refused_with_what_was_meant() {
        for (typed, told, fixed) in [
            ("(2,)", "a tuple of one is written (2)", Some("(2)")),
            ("[1,2]", "a comma and a blank", Some("[1, 2]")),
            ("{1, 2}", "a set is written set{1, 2}", None),
            ("set()", "a set is written", Some("set{}")),
            (
                "frozenset({1})",
                "a frozenset is written",
                Some("frozenset{1}"),
            ),
            ("deque([1])", "an object is written <deque …>", None),
            ("\"a\"", "a string is written with '", None),
            ("[1", "`]` is missing", None),
            ("yes", "`yes` is no value", None),
            ("t9 t9", "after a value", None),
            ("{1:2}", "with a blank", None),
            ("", "a value is missing", None),
        ] {
            let outcome = format!("None | {typed}");
            let why = refusal(&outcome, 1).unwrap_or_else(|| panic!("{typed} is taken"));
            assert!(why.contains(told), "{typed}: {why}");
            let expected = fixed.map(|f| format!("None | {f}"));
            assert_eq!(meant(&outcome, 1), expected, "{typed}");
        }
        let why = refusal("None | 1", 2).unwrap();
        assert!(why.contains("2 parts") && why.contains("have 3"), "{why}");
    }

    #[test]
    fn what_is_written_is_taken() {
        for text in [
            "None",
            "*",
            "!KeyError: 'x | (",
            "(2)",
            "()",
            "[t1, t?, ...]",
            "set{1, 2}",
            "{}",
            "{'a': (1, 2), b'b': [-0.0, 1e+16, inf]}",
            "\"it's\"",
            "'a\\'b\"'",
            "<deque [1] maxlen=None>",
            "(<C n=1>, 2)",
            "[!ValueError: x, 1]",
            "array(i, [1])",
            "memoryview(B, [0, 1])",
            "bytearray(b'a')",
            "range(0, 3)",
            "(1+2j)",
            "[1, 2, +3 #ff]",
            "frozenset{}",
            "1_0",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
    }
}
