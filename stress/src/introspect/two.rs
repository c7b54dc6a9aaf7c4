//! Two objects of one type, for what a thread does to one with the other while another thread does the reverse:
//! `a.update(b) ‖ b.update(a)`.
//!
//! An operation found by introspection that takes its like is written with a fresh one, which no other thread sees.
//! Here both are shared: the subject's object is a list of two, and such an operation is there in both directions.

use crate::subject::{Op, Subject};

/// How an operation asks for a fresh object of its type, in the words of `introspect.py`.
const ANOTHER: &str = "MK()";

/// Makes the subject one of two objects, if any of its operations takes its like.
pub(super) fn objects(subject: &mut Subject) {
    let takes = |op: &Op| op.code.contains(ANOTHER);
    if !subject.ops.iter().any(takes) {
        return;
    }
    for make in &mut subject.make {
        *make = format!("[{make}, {make}]");
    }
    let [first, second] = ["o[0]", "o[1]"];
    let seen = |of| with(&subject.observe, of);
    subject.observe = format!("({}, {})", seen(first), seen(second));
    let ops = std::mem::take(&mut subject.ops);
    for op in ops {
        let direction = |one, other| Op {
            code: with(&op.code, one).replace(ANOTHER, other),
            ..op.clone()
        };
        if takes(&op) {
            subject.ops.push(direction(second, first));
        }
        // What takes no like races with the others' use of the first.
        subject.ops.push(direction(first, second));
    }
}

/// The code with another object in the place of `o`: the name, where it is no attribute and in no string.
fn with(code: &str, object: &str) -> String {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let (mut out, mut quote, mut before) = (String::new(), None, ' ');
    let mut rest = code.chars().peekable();
    while let Some(c) = rest.next() {
        let ends = !rest.peek().copied().is_some_and(is_name);
        let alone = c == 'o' && !is_name(before) && before != '.' && ends;
        match quote {
            None if alone => out += object,
            _ => out.push(c),
        }
        match quote {
            None if c == '\'' || c == '"' => quote = Some(c),
            Some(end) if c == end && before != '\\' => quote = None,
            _ => {}
        }
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::parse;

    #[test]
    fn the_name_is_replaced_and_nothing_else() {
        for (code, two) in [
            ("o.o(o, foo, 'o')", "o[0].o(o[0], foo, 'o')"),
            (
                "tuple([x for _, x in zip(o)])",
                "tuple([x for _, x in zip(o[0])])",
            ),
            ("o += MK()", "o[0] += MK()"),
            (
                "copy.copy(o), 'it\\'s o', o",
                "copy.copy(o[0]), 'it\\'s o', o[0]",
            ),
        ] {
            assert_eq!(with(code, "o[0]"), two);
        }
    }

    #[test]
    fn what_takes_its_like_is_there_in_both_directions() {
        let text = "[[subject]]\nname = 'x'\ndoc = 'd'\nmake = ['dict()']\nfinal = 'tuple(o)'\nsilent = ['len(o)', \
                    'run: o.update(MK())']\nsource = 's'\n";
        let mut subject = parse("here", text).unwrap().remove(0);
        objects(&mut subject);
        let codes: Vec<&str> = subject.ops.iter().map(|op| op.code.as_str()).collect();
        assert_eq!(
            codes,
            ["len(o[0])", "o[1].update(o[0])", "o[0].update(o[1])"]
        );
        assert_eq!(subject.make, ["[dict(), dict()]"]);
        assert_eq!(subject.observe, "(tuple(o[0]), tuple(o[1]))");

        let alone = parse("here", &text.replace("MK()", "{v}"))
            .unwrap()
            .remove(0);
        let mut same = alone.clone();
        objects(&mut same);
        assert_eq!(same, alone);
    }
}
