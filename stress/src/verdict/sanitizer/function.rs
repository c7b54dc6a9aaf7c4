//! A function's name as a signature holds it, whatever language and compiler it comes from.

use crate::verdict::noise::without_suffix;

/// Without parameters, template arguments, Rust's hash and the suffixes of clones.
pub(super) fn function(name: &str) -> String {
    let name = name.trim();
    let name = match name.rfind("::h") {
        Some(i) if name.len() == i + 19 && name[i + 3..].bytes().all(|b| b.is_ascii_hexdigit()) => {
            &name[..i]
        }
        _ => name,
    };
    let name = without_suffix(name);
    let mut out = String::new();
    let mut depth = 0usize;
    for (i, c) in name.char_indices() {
        match c {
            // Parameters end the name, but `operator()` and a leading `(anonymous` belong to it.
            '(' if depth == 0
                && !out.is_empty()
                && !out.ends_with("operator")
                && !out.ends_with("::") =>
            {
                break;
            }
            // `<impl Trait for T>::f` begins with its bracket; `operator<` is a name.
            '<' if i > 0 && !out.ends_with("operator") && !out.ends_with("::") => depth += 1,
            '>' if depth > 0 => depth -= 1,
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    // A return type stands before a template's name.
    let out = out.trim();
    let last = out.rsplit(' ').next().unwrap_or(out);
    if out.contains(' ') && !out.contains('<') && !out.contains("operator") && !out.contains('(') {
        last.to_owned()
    } else {
        out.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_languages() {
        let name = |n: &str| function(n);
        assert_eq!(name("Buffer::at(int)"), "Buffer::at");
        assert_eq!(
            name("main::$_0::operator()() const"),
            "main::$_0::operator()"
        );
        assert_eq!(
            name("void std::__invoke_impl<void, main::$_0>(std::__invoke_other)"),
            "std::__invoke_impl"
        );
        assert_eq!(
            name("<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop::h0123456789abcdef"),
            "<alloc::vec::Vec as core::ops::drop::Drop>::drop"
        );
        assert_eq!(
            name("rustpython_vm::builtins::list::PyList::append::h0123456789abcdef"),
            "rustpython_vm::builtins::list::PyList::append"
        );
    }
}
