//! Scenarios on two objects of one subject: a list of two, each operation on one of them.
//!
//! Operations stand inline in a thread's loop, so that `o` is renamed in their code rather than bound by a
//! call. An operation that names the object twice (`o.extend(o)`) gets the other one in the second place:
//! two locks are then taken in either order. Nothing is documented of such, so that its guarantee is the
//! weakest one.

use crate::scenario::{Call, Scenario};
use crate::subject::Guarantee;

/// Names of the two objects.
const NAMES: [&str; 2] = ["o[0]", "o[1]"];

/// How the expression ends that observes both: no subject's ends so.
const MARK: &str = ", 'two')[:2]";

/// The scenario on two objects, the second from this set-up; each call on the object that `which` names.
/// `None`: it is on two already, needs more than fresh objects, or its code binds the name itself.
pub fn scenario(
    scenario: &Scenario,
    make: &str,
    mut which: impl FnMut() -> usize,
) -> Option<Scenario> {
    if is(scenario) || !scenario.is_of_one_object() {
        return None;
    }
    let mut two = scenario.clone();
    let observe = |i: usize| renamed(&scenario.context.observe, [NAMES[i]; 2]);
    two.context.observe = format!("({}, {}{MARK}", observe(0)?, observe(1)?);
    if let Some(check) = &scenario.context.check {
        let check = |i: usize| renamed(check, [NAMES[i]; 2]);
        two.context.check = Some(format!("({}) and ({})", check(0)?, check(1)?));
    }
    two.context.size = scenario.context.size.div_ceil(2);
    two.make = format!("[{}, {make}]", scenario.make);
    for c in two.threads.iter_mut().flatten() {
        *c = call(c, which())?;
    }
    Some(two)
}

/// Whether a scenario is on two objects.
pub fn is(scenario: &Scenario) -> bool {
    scenario.context.observe.ends_with(MARK)
}

/// A call on one object as a call on the first (0) or second (1) of two.
pub fn call(call: &Call, which: usize) -> Option<Call> {
    let both = mentions(&call.code) > 1;
    let code = renamed(&call.code, [NAMES[which % 2], NAMES[(which + 1) % 2]])?;
    Some(Call {
        code,
        guarantee: if both {
            Guarantee::Composite
        } else {
            call.guarantee
        },
        ..call.clone()
    })
}

/// How often code names the object.
fn mentions(code: &str) -> usize {
    let named = |p: &Piece<'_>| matches!(p, Piece::Object(_));
    pieces(code).iter().filter(|p| named(p)).count()
}

/// Code with the object renamed: in the first place to the first name, elsewhere to the second. `None`
/// where the code binds the name: a parameter, a loop's variable, a keyword.
fn renamed(code: &str, [first, other]: [&str; 2]) -> Option<String> {
    let pieces = pieces(code);
    let mut out = String::with_capacity(code.len() + 16);
    let mut seen = false;
    for (i, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Object(_) => {
                let after = text(&pieces[i + 1..]);
                let after = after.trim_start();
                let binds = after.starts_with('=') && !after.starts_with("==");
                let before = out.trim_end();
                let bound = ["lambda", "for", "as", "global", "nonlocal"];
                let word = before
                    .rsplit(|c: char| !c.is_alphanumeric())
                    .next()
                    .unwrap_or("");
                let deleted = word == "del" && (after.is_empty() || after.starts_with(','));
                if binds || deleted || after.starts_with(":=") || bound.contains(&word) {
                    return None;
                }
                out += if seen { other } else { first };
                seen = true;
            }
            Piece::Other(text) => out += text,
        }
    }
    // What a function of its own is given may be called so too.
    (!code.contains("lambda o")).then_some(out)
}

enum Piece<'a> {
    /// The name `o`.
    Object(&'a str),
    /// Anything else, strings among it.
    Other(&'a str),
}

fn text(pieces: &[Piece<'_>]) -> String {
    let of = |p: &Piece<'_>| match p {
        Piece::Object(t) | Piece::Other(t) => (*t).to_owned(),
    };
    pieces.iter().map(of).collect()
}

/// Code cut at each use of the name `o` that is no attribute's and stands in no string.
fn pieces(code: &str) -> Vec<Piece<'_>> {
    let bytes = code.as_bytes();
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80;
    let mut pieces = Vec::new();
    let (mut from, mut i) = (0, 0);
    while i < bytes.len() {
        match bytes[i] {
            quote @ (b'\'' | b'"') => {
                i += 1;
                while i < bytes.len() && bytes[i] != quote {
                    i += 1 + usize::from(bytes[i] == b'\\');
                }
                i += 1;
            }
            b if word(b) => {
                let start = i;
                while i < bytes.len() && word(bytes[i]) {
                    i += 1;
                }
                let attribute = start > 0 && bytes[start - 1] == b'.';
                if &code[start..i] == "o" && !attribute {
                    pieces.push(Piece::Other(&code[from..start]));
                    pieces.push(Piece::Object(&code[start..i]));
                    from = i;
                }
            }
            _ => i += 1,
        }
    }
    pieces.push(Piece::Other(&code[from.min(code.len())..]));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_both_objects_promises_nothing() {
        let call_of = |code: &str| Call {
            code: code.to_owned(),
            op: code.to_owned(),
            form: crate::subject::Form::Run,
            guarantee: Guarantee::Atomic,
            raises: None,
        };
        let one = call(&call_of("o.pop()"), 1).unwrap();
        assert_eq!(
            (one.code.as_str(), one.guarantee),
            ("o[1].pop()", Guarantee::Atomic)
        );
        let both = call(&call_of("o.extend(o)"), 1).unwrap();
        assert_eq!(
            (both.code.as_str(), both.guarantee),
            ("o[1].extend(o[0])", Guarantee::Composite)
        );
    }

    /// Asked of `python3`: what is made of the subjects' code compiles.
    #[test]
    fn scenarios_on_two_objects_compile() {
        use crate::choice::Seeded;
        use crate::scenario::generate::{Limits, nth, set_up};
        let (mut sources, mut refused) = (String::new(), 0);
        for subject in crate::subject::builtin::all() {
            for k in 0..6 {
                let one = nth(&subject, 1, k, Limits::default());
                let make = set_up(&subject, &mut Seeded::new(1, &["two"]));
                let mut turn = 0;
                let which = || {
                    turn += 1;
                    turn
                };
                match scenario(&one, &make, which) {
                    Some(two) => {
                        assert!(is(&two) && !is(&one));
                        assert_eq!(scenario(&two, &make, || 0), None, "there are two already");
                        let source = crate::scenario::render::source(&two);
                        sources += &format!(
                            "compile({}, 'two', 'exec')\n",
                            crate::python::quote(&source)
                        );
                    }
                    None => refused += 1,
                }
            }
        }
        assert!(refused < 900, "{refused}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), sources).unwrap();
        let python = std::process::Command::new("python3")
            .args(["-W", "ignore"])
            .arg(file.path())
            .output();
        let python = python.expect("python3 is on PATH");
        assert!(
            python.status.success(),
            "{}",
            String::from_utf8_lossy(&python.stderr)
        );
    }

    #[test]
    fn the_object_is_renamed_and_nothing_else() {
        let two = |code: &str| renamed(code, ["o[0]", "o[1]"]);
        let same = |code: &str, want: &str| assert_eq!(two(code).as_deref(), Some(want));
        same("o.extend(o)", "o[0].extend(o[1])");
        same(
            "x.o + foo(o) + 'o' + \"\\\"o\"",
            "x.o + foo(o[0]) + 'o' + \"\\\"o\"",
        );
        same("o[1] = o == o", "o[0][1] = o[1] == o[1]");
        same("del o[3]", "del o[0][3]");
        same("tuple([x for x in o])", "tuple([x for x in o[0]])");
        for bound in [
            "lambda o: o",
            "[o for o in x]",
            "f(o=1)",
            "o = 3",
            "(lambda x, o=o: o)",
            "del o",
        ] {
            assert_eq!(two(bound), None, "{bound}");
        }
    }
}
