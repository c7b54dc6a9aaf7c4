//! `Native` adds no instruction: the machine code of schemes on it is the machine code of
//! the same counts written by hand in `std`.
//!
//! Both are compiled into this test, then its own executable is disassembled. Two functions
//! are equal when their instructions are, up to the names of what they call: the end of an
//! object and the slow ways are functions of their own on both sides.

#[path = "../benches/cost/by_hand.rs"]
#[allow(dead_code, reason = "only the benchmark makes objects")]
mod by_hand;

#[path = "../benches/cost/sides.rs"]
mod sides;

use std::collections::BTreeMap;
use std::process::Command;

/// Names with address and size.
type Symbols = BTreeMap<String, (u64, u64)>;

fn objdump(arguments: &[&str]) -> String {
    let this = std::env::current_exe().expect("the test is a file");
    let output = Command::new("objdump").args(arguments).arg(this).output();
    let output = output.expect("objdump is on PATH; it comes with the linker, in binutils");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn symbols() -> Symbols {
    let table = objdump(&["--syms"]);
    let mut symbols = Symbols::new();
    for line in table.lines() {
        // ADDRESS FLAGS SECTION SIZE [VISIBILITY] NAME
        let words: Vec<&str> = line.split_whitespace().filter(|w| *w != ".hidden").collect();
        let [address, .., size, name] = words[..] else { continue };
        if let (Ok(address), Ok(size)) =
            (u64::from_str_radix(address, 16), u64::from_str_radix(size, 16))
        {
            symbols.insert(name.to_owned(), (address, size));
        }
    }
    symbols
}

/// The instructions of a function. Jumps within it are shown as distances, what it calls or
/// jumps to outside as `elsewhere`.
fn instructions(symbols: &Symbols, name: &str) -> Vec<String> {
    let (begin, size) = symbols[name];
    let end = begin + size;
    let (from, to) = (format!("--start-address={begin}"), format!("--stop-address={end}"));
    let arguments = ["--disassemble", "--no-show-raw-insn", &from, &to];
    let text = objdump(&arguments);
    let listed = text.lines().filter_map(|line| {
        let (address, code) = line.trim().split_once(":\t")?;
        let distance = u64::from_str_radix(address, 16).ok()? - begin;
        Some((format!("+{distance:#x}"), instruction(code, begin, end)))
    });
    let mut listed: Vec<(String, String)> = listed.collect();
    // A jump to a jump that leaves leaves; in which order such last jumps stand at the end is
    // the compiler's whim.
    let leaves = |(_, code): &&(String, String)| code == "jmp elsewhere";
    let exits: Vec<String> = listed.iter().filter(leaves).map(|(at, _)| at.clone()).collect();
    while listed
        .iter()
        .rev()
        .nth(1)
        .is_some_and(|(_, code)| code == "ret" || code == "jmp elsewhere")
        && listed.last().as_ref().is_some_and(leaves)
    {
        listed.pop();
    }
    let shown = listed.into_iter().map(|(_, code)| match code.rsplit_once(' ') {
        Some((jump, to)) if exits.iter().any(|at| at == to) => format!("{jump} elsewhere"),
        _ => code,
    });
    shown.collect()
}

/// One instruction of the function from `begin` to `end`, without addresses that differ from
/// function to function.
fn instruction(code: &str, begin: u64, end: u64) -> String {
    // `jne 1a2b <name+0x10>`, or `mov 0x30(%rip),%rax  # 1a2b <name>`
    let code = code.trim();
    let Some((before, _)) = code.split_once('<') else { return code.to_owned() };
    let (operation, target) = before.trim_end().rsplit_once([' ', '\t']).unwrap_or(("", before));
    let Ok(target) = u64::from_str_radix(target, 16) else { return code.to_owned() };
    if let Some((start, rest)) = operation.split_once("(%rip)") {
        let start = start.rsplit_once([' ', '\t', ',']).map_or(start, |(head, _)| head);
        return format!("{start} {target:#x}{}", rest.trim_end_matches([' ', '#']));
    }
    match target.checked_sub(begin) {
        Some(distance) if target < end => format!("{} +{distance:#x}", operation.trim_end()),
        _ => format!("{} elsewhere", operation.trim_end()),
    }
}

#[test]
#[cfg_attr(
    any(debug_assertions, not(all(target_arch = "x86_64", target_os = "linux"))),
    ignore = "needs an optimised build for x86_64 Linux"
)]
fn schemes_on_native_are_the_code_that_a_person_writes() {
    sides::keep();
    let symbols = symbols();
    let mut pairs: Vec<(String, String, String)> = Vec::new();
    for scheme in ["atomic", "biased", "locked"] {
        for operation in ["incref", "decref"] {
            let side = |side| format!("{side}_{scheme}_{operation}");
            pairs.push((format!("{scheme} {operation}"), side("scheme"), side("hand")));
        }
    }
    // Out of line on both sides: the foreign decrement, found by its mangled name.
    let mangled = |part: &str| {
        let mut found = symbols.keys().filter(|name| name.contains(part));
        let name = found.next().unwrap_or_else(|| panic!("no symbol contains {part}"));
        assert_eq!(found.next(), None, "a second symbol contains {part}");
        name.clone()
    };
    let (ours, by_hand) = (mangled("sub_shared"), mangled("decref_shared"));
    pairs.push(("biased foreign decref".to_owned(), ours, by_hand));

    let mut different = Vec::new();
    for (what, ours, by_hand) in pairs {
        let (ours, by_hand) = (instructions(&symbols, &ours), instructions(&symbols, &by_hand));
        let equal = ours == by_hand;
        println!("{what}: {} instructions, equal: {equal}", ours.len());
        if !equal {
            different.push(format!("{what}\n{ours:#?}\n{by_hand:#?}"));
        }
    }
    assert!(different.is_empty(), "scheme and by hand:\n{}", different.join("\n"));
    // The comparison can fail: an observed increment is other code.
    let of = |name| instructions(&symbols, name);
    assert_ne!(of("watched_atomic_incref"), of("hand_atomic_incref"));
}
