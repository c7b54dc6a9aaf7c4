//! How stacks, pairs and kinds are compared where no scenario is known: in the catalogue's signatures.

use crate::verdict::Kind;

/// Functions that may lie above a signature's on a stack: what is called from the place of the fault meets
/// the damage.
const ABOVE: usize = 1;

/// Whether the innermost frame of one is among the first of the other: compilers inline differently.
pub fn one_place(one: &[String], other: &[String]) -> bool {
    let among = |first: Option<&String>, of: &[String]| first.is_some_and(|f| of.contains(f));
    among(one.first(), other) || among(other.first(), one)
}

/// Whether a stack, innermost first, is in the place of these functions: they lie next to each other in this
/// order, and are its innermost or have one function above them. One function alone must be the innermost:
/// further out it only called what failed.
pub fn in_place(stack: &[String], functions: &[String]) -> bool {
    let above = if functions.len() > 1 { ABOVE } else { 0 };
    !functions.is_empty()
        && stack
            .windows(functions.len())
            .take(above + 1)
            .any(|w| w == functions)
}

/// Whether one of two lists of functions is part of the other: then a stack can be in both places.
pub fn overlap(one: &[String], other: &[String]) -> bool {
    let within = |short: &[String], long: &[String]| {
        !short.is_empty() && long.windows(short.len()).any(|w| w == short)
    };
    within(one, other) || within(other, one)
}

/// Whether two pairs are one in either order.
pub fn is_pair(one: &[String; 2], other: &[String; 2]) -> bool {
    one == other || one[0] == other[1] && one[1] == other[0]
}

/// Whether a program that looks for what shows as `known` may end as `seen`: by another face of it, or, where
/// the program itself looks, by a line of its own on what is wrong.
pub fn may_show(known: Kind, seen: Kind) -> bool {
    let looked_at = matches!(known, Kind::Exception | Kind::Leak | Kind::Memory);
    super::may_be_one(known, seen)
        || looked_at && seen == Kind::Outcome
        || known == Kind::Leak && seen == Kind::Memory
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(functions: &[&str]) -> Vec<String> {
        functions.iter().map(|&f| f.to_owned()).collect()
    }

    #[test]
    fn a_place_is_innermost() {
        let stack = list(&["setiter_iternext", "zip_next", "list_extend"]);
        let is = |functions: &[&str]| in_place(&stack, &list(functions));
        assert!(is(&["setiter_iternext"]) && !is(&["zip_next"]));
        assert!(is(&["setiter_iternext", "zip_next"]) && is(&["zip_next", "list_extend"]));
        assert!(!is(&["setiter_iternext", "list_extend"]) && !is(&["list_extend"]) && !is(&[]));
        let deep = list(&["a", "b", "c", "d"]);
        assert!(!in_place(&deep, &list(&["c", "d"])));
        assert!(!in_place(&[], &list(&["a"])));
    }

    #[test]
    fn kinds_that_a_program_may_end_as() {
        assert!(may_show(Kind::Crash, Kind::Fatal) && may_show(Kind::Crash, Kind::Sanitizer));
        assert!(may_show(Kind::Hang, Kind::Deadlock) && may_show(Kind::Leak, Kind::Outcome));
        assert!(!may_show(Kind::Crash, Kind::Outcome) && !may_show(Kind::Outcome, Kind::Memory));
        assert!(!may_show(Kind::Crash, Kind::Hang) && !may_show(Kind::ShutdownCrash, Kind::Crash));
    }
}
