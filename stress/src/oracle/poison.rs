//! Memory that nobody wrote, proved by poison: CPython's debug allocator (`PYTHONMALLOC=debug`) fills
//! what it hands out with `0xCD`, what was given back with `0xDD`, and the space around with `0xFD`
//! (`Objects/obmalloc.c`: `PYMEM_CLEANBYTE`, `PYMEM_DEADBYTE`, `PYMEM_FORBIDDENBYTE`).
//!
//! Zero bytes and large numbers look like it and prove nothing: operations make them of small ones.
//! They are a reason to run the scenario once more with poison.

use crate::history::slots;
use crate::scenario::tuning::Tuning;
use crate::vm::Vm;
use std::collections::BTreeSet;

/// The variable and its value that let CPython poison memory.
pub const ENVIRONMENT: (&str, &str) = ("PYTHONMALLOC", "debug");

/// The bytes that the debug allocator writes.
const BYTES: [u8; 3] = [0xcd, 0xdd, 0xfd];

/// How a script asks for poison.
pub fn tuning() -> Tuning {
    let (name, value) = ENVIRONMENT;
    Tuning {
        environment: [(name.to_owned(), value.to_owned())].into(),
        ..Tuning::default()
    }
}

/// The same VM with poison.
pub fn vm(vm: &Vm) -> Vm {
    vm.with_environment(ENVIRONMENT.0, ENVIRONMENT.1)
}

/// How a value reads that consists of such a byte: in bytes and text twice in a row, as a number of 16,
/// 32 or 64 bits with and without a sign, and as a floating-point number.
fn readings_of(byte: u8) -> Vec<String> {
    let wide = u64::from_ne_bytes([byte; 8]);
    let mut readings = vec![
        format!("\\x{byte:02x}\\x{byte:02x}"),
        format!("\\u{byte:02x}{byte:02x}"),
        format!("{:?}", f64::from_bits(wide)),
    ];
    readings.extend([wide, wide & 0xffff_ffff, wide & 0xffff].map(|n| n.to_string()));
    readings.extend([
        (wide as i64).to_string(),
        (wide as u32 as i32).to_string(),
        (wide as u16 as i16).to_string(),
    ]);
    readings
}

/// How poisoned memory reads, whatever it was read as.
pub fn readings() -> Vec<String> {
    BYTES.into_iter().flat_map(readings_of).collect()
}

/// Whether a text holds a reading as a whole word, or a run of bytes anywhere.
fn holds(text: &str, reading: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    text.match_indices(reading).any(|(at, _)| {
        reading.starts_with('\\')
            || !text[..at].ends_with(part) && !text[at + reading.len()..].starts_with(part)
    })
}

/// The poison that an outcome holds and no sequential one does, in words.
pub fn pattern(outcome: &str, sequential: &BTreeSet<String>) -> Option<String> {
    // Exceptions quote sizes and positions of all kinds; only values count.
    let values = slots(outcome).filter(|slot| !slot.starts_with('!'));
    let values: Vec<&str> = values.collect();
    BYTES.into_iter().find_map(|byte| {
        let reading = readings_of(byte)
            .into_iter()
            .find(|r| values.iter().any(|v| holds(v, r)))?;
        let usual = sequential.iter().any(|s| holds(s, &reading));
        let whose = match byte {
            0xcd => "handed out and not written",
            0xdd => "given back",
            _ => "beyond what was asked for",
        };
        (!usual).then(|| format!("{reading} is memory {whose} (0x{byte:X})"))
    })
}

/// Numbers beyond anything that a scenario's values, sums and lengths usually reach.
const ODD: u128 = 1_000_000;

/// Whether an outcome looks like memory that nobody wrote, so that a run with poison is worth it.
pub fn suspicious(outcome: &str, sequential: &BTreeSet<String>) -> bool {
    let odd = |text: &str| slots(text).any(|slot| !slot.starts_with('!') && has_odd_number(slot));
    let bytes = |text: &str| text.contains("\\x");
    (odd(outcome) && !sequential.iter().any(|s| odd(s)))
        || (bytes(outcome) && !sequential.iter().any(|s| bytes(s)))
}

fn has_odd_number(slot: &str) -> bool {
    slot.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
        .any(|word| {
            word.len() > 6
                && word.bytes().all(|b| b.is_ascii_digit())
                && word.parse::<u128>().map_or(true, |n| n >= ODD)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(outcome: &str, sequential: &[&str]) -> Option<String> {
        pattern(
            outcome,
            &sequential.iter().map(|s| (*s).to_owned()).collect(),
        )
    }

    #[test]
    fn poison_is_read_as_bytes_and_as_numbers_of_every_size() {
        for text in [
            "None | b'a\\xcd\\xcd'",
            "[3452816845] | ()",
            "(1, -842150451) | ()",
            "14829735431805717965 | ()",
            "15987178197214944733 | ()",
            "-6.2774385622041925e66 | ()",
        ] {
            assert!(of(text, &["None | b'a'"]).is_some(), "{text}");
        }
    }

    #[test]
    fn what_the_orders_give_and_what_is_part_of_another_number_is_no_poison() {
        assert_eq!(of("3452816845 | ()", &["3452816845 | (1,)"]), None);
        assert_eq!(of("13452816845 | ()", &[]), None);
        assert_eq!(of("b'\\xcd' | ()", &[]), None);
        assert_eq!(of("!OverflowError: 3452816845 | ()", &[]), None);
    }

    #[test]
    fn what_is_suspicious() {
        let s = ["1 | b'a'".to_owned()].into();
        assert!(suspicious("573410040 | b'a'", &s));
        assert!(suspicious("1 | b'a\\x00'", &s));
        assert!(!suspicious("2 | b'b'", &s));
        assert!(!suspicious(
            "2 | b'\\x00'",
            &["1 | b'\\x01'".to_owned()].into()
        ));
    }
}
