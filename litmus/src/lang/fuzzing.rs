//! The body of the fuzz target `litmus_text`, which is also an ordinary test: texts that bytes
//! make out of real ones go through parser, printer and lowering.

use super::Test;
use super::reference::{Machine, outcomes};

/// Texts with most of the language in them.
const TEXTS: [&str; 4] = [
    r#"C SB+fences
"store buffering" RC11=Never
{ [x]=0; int y = 0; 0:r1 = 7 }
P0 (atomic_int* x, volatile atomic_long* y) {
  atomic_store_explicit(x, 1, memory_order_relaxed); // C comments here
  atomic_thread_fence(memory_order_seq_cst);
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
}
void P1 (_Atomic(int8_t)* x, int* y) {
  *y += 1 << 2; int e = 0, *p = y;
  if (!atomic_compare_exchange_weak(x, &e, e + 1)) { r2 = (unsigned) ~e / 3; } else *p = x == y;
}
locations [x; 0:r1 int;] filter (x!=2)
exists (0:r0=0 /\ 1:e=0 \/ ~(x=1) => [x]=[y])
"#,
    r"C pointers
{ int a[2] = {1, 2}; p=&z; z; uint16_t u = 65535; }
P0 (int* a, int** p, int* z, uint16_t* u) {
  int* r0 = atomic_load_explicit(p, memory_order_acquire);
  a[1] = *r0; *u = *(a + 1) * -3; p = 0;
  for (int i = 0; i < 2; i++) { (void) atomic_exchange(z, i % 2); }
}
forall (0:r0=z /\ a={1,0} /\ a[0]=1)
",
    r"C linux
{ x=ATOMIC_INIT(1); }
P0 (int* x, spinlock_t* l) {
  spin_lock(l); WRITE_ONCE(*x, 2); smp_mb(); r0 = xchg_acquire(x, 3); spin_unlock(l);
  int r1 = cmpxchg(x, 3, atomic_add_return(1, x)); __store{release}(*x, r1);
}
P1 (int* x, spinlock_t* l) {
  while (READ_ONCE(*x) == 0) { }
  r0 = atomic_add_unless(x, 1, 3); r1 = __atomic_fetch_op{mb}(x, +, 1);
}
~exists (1:r0=1:r1)
",
    r"C odd
{ { } }
{ #include <x> }
void* P0 (void* x) { ; ; { } if (1 && 0 || 2) ; while (0) ; }
regions: x:y scopes: (a)
observed x=1; 0:r=0x; and true; with tso: forall;
",
];

/// What is put in between.
const WORDS: [&str; 64] = [
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ";",
    ",",
    ":",
    "*",
    "&",
    "-",
    "+",
    "++",
    "=",
    "==",
    "!",
    "~",
    "/\\",
    "\\/",
    "=>",
    "<<=",
    "%",
    "/",
    "?",
    "0",
    "1",
    "-9223372036854775808",
    "4294967296",
    "0x",
    "99999999999999999999",
    "x",
    "y",
    "p",
    "a",
    "r0",
    "0:r0",
    "P1",
    "P2 (int* q) { }",
    "int",
    "long",
    "unsigned",
    "_Bool",
    "int8_t",
    "void",
    "atomic_int",
    "_Atomic(",
    "if (",
    "else",
    "while (",
    "for (;;)",
    "atomic_load(",
    "READ_ONCE(",
    "__load{once}(",
    "exists",
    "forall",
    "locations [",
    "(*",
    "*)",
    "/*",
    "//",
    "\u{feff}",
    "\u{1b}[2J",
    "é",
];

/// A text made from bytes: one of ours, edited word by word, or the bytes themselves.
pub fn text(bytes: &[u8]) -> String {
    let Some((&first, mut rest)) = bytes.split_first() else {
        return String::new();
    };
    if first >= 240 {
        return String::from_utf8_lossy(rest).into_owned();
    }
    let mut words: Vec<&str> = TEXTS[usize::from(first) % TEXTS.len()]
        .split_inclusive(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    while let [what, place, word, more @ ..] = rest {
        rest = more;
        let at = (usize::from(*place) * 256 + usize::from(*word)) % (words.len() + 1);
        let from = usize::from(*word) % words.len().max(1);
        match what % 4 {
            0 if at < words.len() => drop(words.remove(at)),
            1 if at < words.len() && words.len() < 4000 => {
                // A piece again: nesting grows fast.
                let end = (at + 1 + usize::from(what / 4)).min(words.len());
                let piece = words[at..end].to_vec();
                words.splice(at..at, piece);
            }
            2 if at < words.len() => words.swap(at, from),
            _ => words.insert(at, WORDS[usize::from(*what / 4) % WORDS.len()]),
        }
    }
    words.concat()
}

/// Parses what the bytes make; of a test, prints it, reads it back, lowers it and runs it on
/// the small machine.
///
/// # Panics
///
/// When a printed test does not read back as the same, or an error cannot be shown.
pub fn litmus_text(bytes: &[u8]) {
    let source = text(bytes);
    let (test, warnings) = match Test::parse_with_warnings(&source) {
        Ok(parsed) => parsed,
        Err(error) => {
            assert!(error.render("text", &source).contains("help: "));
            return;
        }
    };
    for warning in warnings {
        assert!(warning.render("text", &source).contains("warning: "));
    }
    let printed = test.to_string();
    let again = match Test::parse(&printed) {
        Ok(again) => again,
        // `r -= a + b` becomes `r = r - (a + b)`, which may be just too deep or too long.
        Err(error) if ["nested too deeply", "this is too long"].contains(&&*error.what) => return,
        Err(error) => panic!("{}\n{printed}", error.render("printed", &printed)),
    };
    assert_eq!(again, test, "{printed}");
    assert_eq!(again.to_string(), printed);
    let code = test.lower();
    for outcome in outcomes(&code, Machine::Interleaving, 500).unwrap_or_default() {
        code.holds(&code.condition.prop, &outcome);
    }
}
