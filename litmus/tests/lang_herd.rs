//! herd's C as people write it: what each construct means, by the states that come out.

use threadbare_litmus::Model;
use threadbare_litmus::lang::reference::{Machine, outcomes};
use threadbare_litmus::lang::{Coverage, Engine, Frequency, Limits, Test, Verdict, Warning, judge};

fn parsed(text: &str) -> (Test, Vec<Warning>) {
    Test::parse_with_warnings(text).unwrap_or_else(|error| panic!("{}", error.render("t", text)))
}

fn verdict(text: &str) -> Verdict {
    verdict_of(text, Engine::Explorer(Model::Rc11), &Limits::default())
}

fn verdict_of(text: &str, engine: Engine, limits: &Limits) -> Verdict {
    let (test, _) = parsed(text);
    // What is printed is the same test.
    let printed = test.to_string();
    assert_eq!(parsed(&printed).0, test, "{printed}");
    let judged = judge(&test, engine, limits).unwrap_or_else(|error| panic!("{error}\n{text}"));
    judged.verdict
}

/// The states, as herd writes them.
fn states(text: &str) -> Vec<String> {
    let verdict = verdict(text);
    assert!(
        verdict.race.is_none(),
        "a race in a test that has none: {verdict}"
    );
    let states = verdict.states.iter();
    states.map(|(values, ..)| verdict.state(values)).collect()
}

/// The value of a register `r` after a thread `body` has run alone.
fn alone(body: &str) -> String {
    let text = format!(
        "C t\n{{ int a[3] = {{10, 20, 30}}; uint8_t u = 250; x = 3; d = 4; }}\nP0 (atomic_int* x, int* d, int* a, uint8_t* u, int64_t* l) {{ {body} }}\nexists (0:r=0)"
    );
    let states = states(&text);
    assert_eq!(states.len(), 1, "{body}: {states:?}");
    let value = states[0].strip_prefix("0:r=").expect("the register");
    value.trim_end_matches(';').to_string()
}

/// The warnings' words, one below the other.
fn warnings(text: &str) -> String {
    let all = parsed(text).1;
    all.iter()
        .map(|w| format!("{}: {}\n", w.at, w.what))
        .collect()
}

fn races(verdict: &Verdict) -> (usize, bool, bool) {
    (verdict.states.len(), verdict.race.is_some(), verdict.ok)
}

const RACY: &str = "C MP+plain
{ x=0; y=0; }
P0 (int* x, atomic_int* y) {
  *x = 1;
  atomic_store_explicit(y, 1, memory_order_relaxed);
}
P1 (int* x, atomic_int* y) {
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
  int r1 = *x;
}
";

#[test]
fn a_race_does_not_end_the_search() {
    for model in [Model::Rc11, Model::Sc, Model::Tso] {
        let stale = model == Model::Rc11;
        for bound in [None, Some(2)] {
            let limits = Limits {
                preemptions: bound,
                ..Limits::default()
            };
            let ask = |condition: &str| {
                verdict_of(
                    &format!("{RACY}{condition}"),
                    Engine::Explorer(model),
                    &limits,
                )
            };
            let all = ask("exists (true)");
            assert!(all.ok && all.race.is_some() && all.is_finding());
            let asked = ask("exists (1:r0=1 /\\ 1:r1=0)");
            // The racy execution is one in which the read comes before the write.
            assert_eq!(
                races(&asked),
                (3 + usize::from(stale), true, stale),
                "{asked}"
            );
            assert_eq!(asked.coverage, Coverage::Exhaustive);
            let race = asked.race.as_deref().unwrap();
            for part in ["data race on x", "P0: x := 1", "P1: x →", "MP+plain:"] {
                assert!(race.contains(part), "{race}");
            }
            let text = asked.to_string();
            let line = if stale { "Ok" } else { "No" };
            assert!(
                text.contains(&format!("\n{line}\nUndef\nWitnesses\n")),
                "{text}"
            );
            assert!(text.contains("\nFlag Undef: data race on x"), "{text}");
        }
    }
    // The same with the flag as it should be: no race, and nothing stale.
    let text = RACY
        .replacen("memory_order_relaxed", "memory_order_release", 1)
        .replacen("memory_order_relaxed", "memory_order_acquire", 1)
        .replace("  int r1 = *x;", "  if (r0) { int r1 = *x; }");
    let verdict = verdict(&(text + "exists (1:r0=1 /\\ 1:r1=0)"));
    assert_eq!(races(&verdict), (2, false, false));
    assert!(!verdict.to_string().contains("Undef"));
}

#[test]
fn a_race_of_a_thread_that_is_given_up_is_seen() {
    let text =
        "C t\n{ }\nP0 (int* x) { *x = 1; }\nP1 (int* x) { while (*x == 0) { } }\nexists (x=1)";
    let verdict = verdict(text);
    assert!(verdict.race.is_some() && verdict.ok, "{verdict}");
    assert_eq!(
        verdict.coverage,
        Coverage::Bounded("4 turns of each loop".into())
    );
}

#[test]
fn not_exists_counts_witnesses_as_herd() {
    let text = |quantifier: &str| {
        verdict(&format!("C t\n{{ }}\nP0 (atomic_int* x) {{ atomic_store(x, 1); }}\nP1 (atomic_int* x) {{ int r = atomic_load(x); }}\n{quantifier} (1:r=2)")).to_string()
    };
    let no = text("~exists");
    assert!(no.contains("Positive: 2 Negative: 0"), "{no}");
    assert!(no.contains("Observation t Never 0 2"), "{no}");
    let yes = text("exists");
    assert!(yes.contains("Positive: 0 Negative: 2"), "{yes}");
    assert!(yes.contains("Observation t Never 0 2"), "{yes}");
}

#[test]
fn a_weak_exchange_that_fails_anyway_is_counted_once() {
    let count = |strength: &str| {
        let text = format!(
            "C t\n{{ x=1; }}\nP0 (atomic_int* x) {{ int e = 0; int r = atomic_compare_exchange_{strength}(x, &e, 2); }}\nexists (0:r=0)"
        );
        verdict(&text)
            .states
            .iter()
            .map(|state| state.1)
            .sum::<u64>()
    };
    assert_eq!(count("strong"), 1);
    assert_eq!(count("weak"), 1);
    let text = "C t\n{ x=0; }\nP0 (atomic_int* x) { int e = 0; int r = WCAS(x, &e, 2); }\nforall (0:r=0 /\\ x=0 \\/ 0:r=1 /\\ x=2)";
    let verdict = verdict(text);
    assert_eq!((verdict.states.len(), verdict.ok), (2, true));
}

#[test]
fn integers_have_their_width() {
    assert_eq!(alone("int r = 2147483647 + 1;"), "-2147483648");
    assert_eq!(alone("long r = 2147483647L + 1;"), "2147483648");
    assert_eq!(alone("unsigned r = 0; r--;"), "4294967295");
    assert_eq!(alone("int r = 1u > -1;"), "0", "the -1 becomes unsigned");
    assert_eq!(alone("int r = 1 > -1;"), "1");
    assert_eq!(alone("uint8_t r = 255; r += 2;"), "1");
    assert_eq!(alone("int8_t r = 127; r++;"), "-128");
    assert_eq!(alone("char r = 255;"), "-1");
    assert_eq!(alone("int16_t r = 0x18000;"), "-32768");
    assert_eq!(alone("_Bool r = 256;"), "1");
    assert_eq!(alone("int r = (uint8_t) 257 + (int8_t) 255;"), "0");
    assert_eq!(alone("size_t r = -1; r = r / 2;"), "9223372036854775807");
    assert_eq!(alone("uint64_t r = 0xffffffffffffffff; r = r >> 63;"), "1");
    assert_eq!(alone("int r = -8 >> 1;"), "-4");
    assert_eq!(alone("int r = 1 << 3 | 1;"), "9");
    assert_eq!(alone("int r = -7 / 2 * 10 + -7 % 2;"), "-31");
    assert_eq!(alone("int r = *u + 10;"), "260", "computed as an int");
    assert_eq!(alone("*u += 10; int r = *u;"), "4");
    assert_eq!(alone("*l = 5000000000; int r = *l;"), "705032704");
    assert_eq!(alone("int r = ~5;"), "-6");
    assert_eq!(
        alone("int r = 7; r <<= 2; r -= 1; r *= 2; r %= 10; r |= 8; r ^= 1; r &= 13;"),
        "13"
    );
    let wraps = "C t\n{ atomic_int x = 2147483647; uint8_t y = 255; }\nP0 (atomic_int* x, _Atomic(uint8_t)* y) { long r0 = atomic_fetch_add(x, 1); int r1 = atomic_fetch_add(y, 2); }\nforall (0:r0=2147483647 /\\ x=-2147483648 /\\ x=2147483648 /\\ 0:r1=255 /\\ y=1)";
    for engine in Engine::ALL {
        let limits = Limits {
            runs: 1000,
            ..Limits::default()
        };
        let verdict = verdict_of(wraps, engine, &limits);
        assert!(verdict.ok, "{}: {verdict}", engine.name());
    }
    let wide = Test::parse("C t\n{ __int128 x; }\nP0 () { }").unwrap_err();
    assert!(wide.to_string().contains("at most 64 bits"), "{wide}");
}

#[test]
fn pointers_and_arrays() {
    assert_eq!(alone("int* p = d; int r = *p;"), "4");
    assert_eq!(alone("int* p = a; p = p + 1; int r = *p;"), "20");
    assert_eq!(alone("int r = a[2] + a[0];"), "40");
    assert_eq!(alone("int i = 1; a[i + 1] = 5; int r = *(a + 2);"), "5");
    assert_eq!(alone("int* p = &a[2]; int r = p - a;"), "2");
    assert_eq!(alone("int* r = d;"), "d");
    assert_eq!(alone("int* r = a; r++;"), "a[1]");
    assert_eq!(alone("int* p = d; int r = p == d;"), "1");
    let publish = "C MP+addr
{ x=0; z=0; p=&z; }
P0 (atomic_int* x, atomic_int** p) {
  atomic_store_explicit(x, 1, memory_order_relaxed);
  atomic_store_explicit(p, x, memory_order_release);
}
P1 (atomic_int** p) {
  atomic_int* r0 = atomic_load_explicit(p, memory_order_acquire);
  int r1 = atomic_load_explicit(r0, memory_order_relaxed);
}
exists (1:r0=x /\\ 1:r1=0)";
    assert_eq!(
        states(publish),
        ["1:r0=x; 1:r1=1;", "1:r0=z; 1:r1=0;"].map(String::from)
    );
    let relaxed = publish.replace("memory_order_release", "memory_order_relaxed");
    assert!(verdict(&relaxed).ok);
    // An address in a register that is declared as a number stays one.
    let untyped = publish.replace("atomic_int* r0", "int r0");
    assert_eq!(states(&untyped).len(), 2);
    let wild = "C t\n{ }\nP0 (int** p) { int* r0 = *p; int r1 = *r0; }\nexists (0:r1=0)";
    let outside =
        "C t\n{ int a[2] = {1, 2}; }\nP0 (int* a, int* b) { int r = a[2]; }\nexists (0:r=0)";
    for text in [wild, outside] {
        let verdict = verdict(text);
        let words = verdict.race.as_deref().unwrap_or_default();
        assert!(words.contains("address of no location"), "{words}");
        assert!(verdict.states.is_empty() && verdict.is_finding());
    }
    let arrays = "C t\n{ int a[2] = {1, 2}; }\nP0 (int* a) { a[1] = 3; }\nlocations [a;]\nforall (a={1,3} /\\ a[0]=1)";
    let verdict = verdict(arrays);
    assert!(verdict.ok);
    assert_eq!(verdict.state(&verdict.states[0].0), "[a[0]]=1; [a[1]]=3;");
}

#[test]
fn equality_with_a_name_is_herds() {
    let text = |condition: &str| {
        format!(
            "C t\n{{ x=1; y=1; p=x; }}\nP0 (int* x, int* y, int** p) {{ int r = *x; }}\nexists ({condition})"
        )
    };
    let holds = |condition: &str| verdict(&text(condition)).ok;
    assert!(!holds("x=y"), "the content of x is not the address of y");
    assert!(holds("x=[y]") && holds("x=*y") && holds("[x]=[y]") && holds("x=0:r"));
    assert!(holds("p=x") && holds("p=&x") && !holds("p=y") && holds("p!=y"));
    assert!(warnings(&text("x=y")).contains("compares with the address of y"));
    assert_eq!(warnings(&text("x=[y] /\\ p=x")), "");
}

#[test]
fn a_waiting_loop_is_an_await() {
    let text = |wait: &str| {
        format!(
            "C MP+wait\n{{ }}\nP0 (int* x, atomic_int* y) {{ *x = 1; atomic_store_explicit(y, 1, memory_order_release); }}\nP1 (int* x, atomic_int* y) {{ {wait} int r1 = *x; }}\nexists (1:r1=0)"
        )
    };
    for wait in [
        "while (atomic_load_explicit(y, memory_order_acquire) == 0) { }",
        "while (!atomic_load_explicit(y, memory_order_acquire)) ;",
        "int r0 = atomic_load_explicit(y, memory_order_acquire); while (r0 == 0) { r0 = atomic_load_explicit(y, memory_order_acquire); }",
        "for (int r0 = 0; r0 != 1; r0 = atomic_load_explicit(y, memory_order_acquire)) { }",
    ] {
        for model in [Model::Rc11, Model::Sc, Model::Tso] {
            let verdict = verdict_of(&text(wait), Engine::Explorer(model), &Limits::default());
            assert_eq!(races(&verdict), (1, false, false), "{wait}\n{verdict}");
            assert_eq!(verdict.coverage, Coverage::Exhaustive, "{wait}");
        }
    }
    // Whoever waits in vain has no final state, as in herd.
    let never = text("while (atomic_load_explicit(y, memory_order_acquire) != 2) { }");
    let verdict = verdict(&never);
    assert_eq!(
        (verdict.states.len(), verdict.coverage),
        (0, Coverage::Exhaustive)
    );
}

#[test]
fn other_loops_get_so_many_turns() {
    let text = "C t\n{ }\nP0 (atomic_int* x) { int i = 0; while (i < 3) { atomic_fetch_add(x, 1); i++; } }\nforall (x=3 /\\ 0:i=3)";
    let all = verdict(text);
    assert_eq!(
        (all.ok, all.states.len(), all.coverage),
        (true, 1, Coverage::Exhaustive)
    );
    let limits = Limits {
        turns: 2,
        ..Limits::default()
    };
    // With every execution cut nothing is known, neither that the states are none.
    let cut = judge(&parsed(text).0, Engine::Explorer(Model::Rc11), &limits);
    let said = cut.unwrap_err().to_string();
    assert!(said.contains("within 2 turns of each loop"), "{said}");
    // Where one execution comes to its end, its state is shown beside what was cut.
    let some = "C t
{ }
P0 (atomic_int* y) { int i = 0; while (i < 3 * atomic_load(y)) { i++; } }
P1 (atomic_int* y) { atomic_store(y, 1); }
exists (0:i=0)";
    let some = verdict_of(some, Engine::Explorer(Model::Rc11), &limits);
    assert_eq!(
        (some.states.len(), some.coverage),
        (1, Coverage::Bounded("2 turns of each loop".into()))
    );
    let retry = "C t\n{ }
P0 (atomic_int* x) { int e = 0; while (!atomic_compare_exchange_strong(x, &e, e + 1)) { } }
P1 (atomic_int* x) { int e = 0; while (!atomic_compare_exchange_strong(x, &e, e + 1)) { } }
forall (x=2)";
    assert!(verdict(retry).ok);
    // A value that an earlier turn has left is not lost.
    let left = "C t\n{ }\nP0 (atomic_int* x, atomic_int* y) { int r = 0; while (atomic_load(x) == 0) { r = atomic_load(y); } }\nP1 (atomic_int* x, atomic_int* y) { atomic_store(y, 1); atomic_store(x, 1); }\nexists (0:r=1)";
    let both = verdict(left);
    assert_eq!((both.ok, both.states.len()), (true, 2), "{both}");
    let endless = "C t\n{ }\nP0 () { while (1) { } }\nexists (true)";
    let cut = judge(
        &parsed(endless).0,
        Engine::Explorer(Model::Rc11),
        &Limits::default(),
    );
    assert!(cut.unwrap_err().to_string().contains("comes to its end"));
}

#[test]
fn locks_exclude() {
    for (lock, unlock, ty) in [
        ("lock", "unlock", "mutex"),
        ("mtx_lock", "mtx_unlock", "mtx_t"),
        ("spin_lock", "spin_unlock", "spinlock_t"),
        ("__lock", "__unlock", "int"),
    ] {
        let thread = |n: usize| {
            format!(
                "P{n} ({ty}* l, int* x) {{ {lock}(l); int r = *x; *x = r + 1; {unlock}(l); }}\n"
            )
        };
        let text = format!(
            "C t\n{{ }}\n{}{}{}forall (x=3)",
            thread(0),
            thread(1),
            thread(2)
        );
        let verdict = verdict(&text);
        assert!(verdict.ok && verdict.race.is_none(), "{verdict}");
        assert_eq!(
            verdict.positive, 6,
            "one execution for each order of the three"
        );
    }
    let taken = "C t\n{ }\nP0 (spinlock_t* l, int* x) { int r = spin_trylock(l); if (r) { *x = 1; spin_unlock(l); } }\nP1 (spinlock_t* l, int* x) { int r = spin_trylock(l); if (r) { *x = 2; spin_unlock(l); } }\nexists (0:r=0 /\\ 1:r=0)";
    let verdict = verdict(taken);
    assert!(!verdict.ok && verdict.race.is_none(), "{verdict}");
    assert_eq!(
        verdict.states.len(),
        3,
        "one of them takes it, or both after each other"
    );
}

/// MP, SB and the like by the kernel's primitives.
#[test]
fn linux_primitives_are_mapped() {
    let mp = |write: &str, read: &str| {
        verdict(&format!("C t\n{{ }}\nP0 (int* x, int* y) {{ {write} }}\nP1 (int* x, int* y) {{ int r0; int r1; {read} }}\nexists (1:r0=1 /\\ 1:r1=0)")).ok
    };
    let plain_write = "WRITE_ONCE(*x, 1); WRITE_ONCE(*y, 1);";
    let plain_read = "r0 = READ_ONCE(*y); r1 = READ_ONCE(*x);";
    let ordered_writes = [
        "WRITE_ONCE(*x, 1); smp_wmb(); WRITE_ONCE(*y, 1);",
        "WRITE_ONCE(*x, 1); smp_store_release(y, 1);",
        "WRITE_ONCE(*x, 1); rcu_assign_pointer(*y, 1);",
        "WRITE_ONCE(*x, 1); xchg_release(y, 1);",
        "__store{once}(*x, 1); __fence{mb}; __store{once}(*y, 1);",
        "atomic_set(x, 1); atomic_inc_return(y);",
    ];
    let ordered_reads = [
        "r0 = READ_ONCE(*y); smp_rmb(); r1 = READ_ONCE(*x);",
        "r0 = smp_load_acquire(y); r1 = READ_ONCE(*x);",
        "r0 = rcu_dereference(*y); r1 = atomic_read(x);",
        "r0 = __load{acquire}(*y); r1 = __load{once}(*x);",
    ];
    assert!(mp(plain_write, plain_read));
    for write in ordered_writes {
        assert!(mp(write, plain_read), "{write}");
        for read in ordered_reads {
            assert!(!mp(write, read), "{write} {read}");
        }
    }
    let sb = |first: &str| {
        let thread = |n: usize, a: &str, b: &str| {
            format!(
                "P{n} (int* x, int* y) {{ {} int r0 = READ_ONCE(*{b}); }}\n",
                first.replace('X', a)
            )
        };
        verdict(&format!(
            "C t\n{{ }}\n{}{}exists (0:r0=0 /\\ 1:r0=0)",
            thread(0, "x", "y"),
            thread(1, "y", "x")
        ))
        .ok
    };
    for weak in [
        "WRITE_ONCE(*X, 1);",
        "smp_store_release(X, 1);",
        "xchg_acquire(X, 1);",
        "int r1 = cmpxchg_relaxed(X, 0, 1);",
        "atomic_add(1, X);",
    ] {
        assert!(sb(weak), "{weak}");
    }
    for full in [
        "WRITE_ONCE(*X, 1); smp_mb();",
        "smp_store_mb(*X, 1);",
        "xchg(X, 1);",
        "int r1 = cmpxchg(X, 0, 1);",
        "int r1 = atomic_fetch_add(1, X);",
        "int r1 = atomic_add_unless(X, 1, 5);",
        "__xchg{mb}(X, 1);",
        "int r1 = atomic_inc_and_test(X);",
    ] {
        assert!(!sb(full), "{full}");
    }
    assert_eq!(
        alone("int r = cmpxchg(x, 3, 7) * 10 + atomic_read(x);"),
        "37"
    );
    assert_eq!(
        alone("int r = cmpxchg(x, 2, 7) * 10 + atomic_read(x);"),
        "33"
    );
    assert_eq!(
        alone(
            "int r = atomic_sub_return(1, x) * 100 + atomic_fetch_or(4, x) * 10 + atomic_dec_and_test(x);"
        ),
        "220"
    );
    assert_eq!(
        alone("int r = atomic_add_unless(x, 2, 3) * 10 + atomic_read(x);"),
        "3"
    );
    assert_eq!(
        alone("int r = atomic_add_unless(x, 2, 1) * 10 + atomic_read(x);"),
        "15"
    );
    assert_eq!(alone("__atomic_op(x, &, 2); int r = atomic_read(x);"), "2");
    let unless =
        |n: usize| format!("P{n} (atomic_t* x) {{ int r = atomic_add_unless(x, 1, 2); }}\n");
    let text = format!(
        "C t\n{{ x = 1; }}\n{}{}exists (0:r=1 /\\ 1:r=1)",
        unless(0),
        unless(1)
    );
    let once = verdict(&text);
    assert_eq!(
        (once.ok, once.states.len()),
        (false, 2),
        "one of them adds: {once}"
    );
    assert!(
        warnings("C t\n{ }\nP0 (int* x) { smp_mb(); }\nexists (true)")
            .contains("`smp_mb` and its like")
    );
}

/// Texts as they are found: accepted, with what is said about them.
#[test]
fn texts_as_people_write_them() {
    let texts = [
        "\u{feff}C bom\n{ x=0 }\nP0 (int* x) { int r = *x; }\nexists (0:r=0)",
        "C void\n{ x=0; y=0; }\nvoid P0 (atomic_int* x, atomic_int* y) { atomic_store(x, 1); }\nvoid* P1 (void* x) { int r = atomic_load(x); }\nexists (1:r=0)",
        "C untyped\n{}\nP0 (int* x) { atomic_store_explicit(x, 1, memory_order_relaxed); }\nP1 (atomic_int* x) { int r = *x; *x = 2; *x += 1; }\nexists (1:r=1)",
        "C casts\n{ int x = ATOMIC_INIT(1); atomic_int y = ATOMIC_VAR_INIT(2); int* z; }\nP0 (int* x, int* y) { (void) atomic_exchange_explicit(x, 1, memory_order_relaxed); int r0 = (int) atomic_load_explicit(y, memory_order_relaxed); (void) r0; }\nlocations [x int; 0:r0 int*; *y; z int*;]\nexists (0:r0=0)",
        "C globals\n{ }\n{ #include <stdatomic.h>\n struct s { int a; }; @ }\nP0 (int* x) { r0 = *x; }\nregions: x 1, y 2\nexists (0:r0=0) with tso: forall; sc: ~exists;",
        "C observed\n{ }\nP0 (int* x) { *x = 1; }\nlocations [x;]\nobserved x=1; and x=0;",
        "C bare\n{ }\nP0 (int* x) { int r; r = 1u; }\n(0:r=1)",
        "C volatile\n{ }\nP0 (volatile int* x, const atomic<int32_t>* y, long int* z, unsigned long* w) { int* const p = x; int q, *s = w; }\nexists (true)",
        "C consume\n{ }\nP0 (int** p) { int* r0 = atomic_load_explicit(p, memory_order_consume); }\nexists (0:r0=0)",
        "C forgotten\n{ }\nP0 (int* x) { int r0 = x; if (x == 1) { r0 = x; } }\nexists (true)",
        "C widths\n{ int x; }\nP0 (long* x) { *x = 1; }\nexists (x=1)",
        "C scas\n{ e=0; }\nP0 (atomic_int* x, int* e) { int r0 = SCAS(x, e, 1, memory_order_acquire, memory_order_relaxed); int r1 = atomic_flag_test_and_set(x); atomic_flag_clear_explicit(x, memory_order_release); }\nexists (0:r0=1)",
    ];
    let mut said = String::new();
    for text in texts {
        let (test, warnings) = parsed(text);
        verdict(text);
        said += &format!("{}\n", test.name);
        for warning in warnings {
            said += &warning.render("t.litmus", text);
        }
    }
    insta::assert_snapshot!(said);
}

/// What is refused is named at its place, with the way out.
#[test]
fn refusals_do_not_mislead() {
    let thread = |body: &str| {
        format!("C t\n{{ x=0; }}\nP0 (atomic_int* x, int* d) {{\n  {body}\n}}\nexists (x=1)\n")
    };
    let mut texts = vec![
        "C t\n{}\nP0 (int* x) { }\nexists (*x=1)".to_string(),
        "C t\n{}\nP0 (int* x) { }\nexists (fault(P0:L, x))".into(),
        "C t\n{}\nP0 (void x) { }".into(),
        "C t\n{}\nP0 (mystery_t* x) { }".into(),
        "C t\n{ mystery_t x; }\nP0 () { }".into(),
        "C t\n{ __int128_t x; }\nP0 () { }".into(),
        "C t\n{ double x; }\nP0 () { }".into(),
        "C t\n{ int a[2] = {1}; }\nP0 () { }".into(),
        "C t\n{ int a[2000]; }\nP0 () { }".into(),
        "C t\n{ a[1]=2; }\nP0 () { }".into(),
        "C t\n{ p=q; }\nP0 () { }".into(),
        "C t\u{1b}[2J\n{}\nP0 () { }".into(),
        "C t\n\"hidden \u{202e}\"\n{}\nP0 () { }".into(),
        "C t\n{}\nint f(void) { return 1; }\nP0 () { }".into(),
        "C t\n{}\nP0 (int* x) { }\nexists (x=y)".into(),
        "C t\n{}\nP0 (int* x) { }\nexists (x=1 /\\ \u{7})".into(),
    ];
    texts.extend(
        [
            "goto L;",
            "L: *d = 1; L: ;",
            "codevar: c;",
            "int r = constvar:c;",
            "do { } until (1);",
            "rcu_read_lock();",
            "int r = mtx_trylock(x);",
            "int a[3];",
            "int r0 = 0; int r1 = *r0;",
            "int r0 = 0; atomic_store(r0, 1);",
            "int r0 = 0; long r0 = 1;",
            "r0++;",
            "3 = 4;",
            "x = 4;",
            "int r0 = *d + 1 ? 2;",
            "int e; int* p = &e;",
            "int r = frobnicate(x);",
            "atomic_fetch_max(x, 1);",
            "__load{weird}(*x);",
            "int r = sizeof(int);",
            "int r = atomic_add_return(*d, x);",
        ]
        .map(thread),
    );
    let mut messages = String::new();
    for text in texts {
        let error = Test::parse(&text).expect_err(&text);
        messages += &(error.render("t.litmus", &text) + "\n");
    }
    assert!(!messages.contains(['\u{1b}', '\u{7}', '\u{202e}']));
    insta::assert_snapshot!(messages);
}

#[test]
fn a_conditional_evaluates_one_of_its_halves() {
    assert_eq!(alone("int r = *d == 4 ? 1 : 2;"), "1");
    assert_eq!(alone("int r = *d == 5 ? 1 : *d ? 3 : 4;"), "3");
    assert_eq!(alone("int r = 7; r = r > 6 ? r - 6 : r + 6;"), "1");
    assert_eq!(
        alone("int r = 0; int s = 0 ? atomic_fetch_add(x, 1) : 5; r = s + atomic_load(x);"),
        "8"
    );
    assert_eq!(alone("int z = 0; int r = z != 0 ? 6 / z : 9;"), "9");
    assert_eq!(alone("int z = 0; int r = z != 0 && 6 / z;"), "0");
    assert_eq!(alone("int* p = *d == 4 ? &a[1] : &a[2]; int r = *p;"), "20");
    // The halves have one type: -1 becomes an unsigned number.
    assert_eq!(
        alone("unsigned u0 = 1; long r = *d ? -1 : u0;"),
        "4294967295"
    );
}

#[test]
fn labels_and_loops_that_test_at_the_end() {
    assert_eq!(alone("int r = 0; do { r++; } while (r < 3);"), "3");
    assert_eq!(alone("int r = 5; do r++; while (0);"), "6");
    assert_eq!(alone("int r = 1; goto end; r = 2; end: ;"), "1");
    assert_eq!(alone("int r = 0; again: r++; if (r < 3) goto again;"), "3");
    assert_eq!(
        alone("int r = 0; if (*d) { goto in; } else { in: r = 4; }"),
        "4"
    );
    // A loop that only waits is exact, without a first read that is over before.
    let text = |wait: &str| {
        format!(
            "C t\n{{ x=0; }}\nP0 (atomic_int* x) {{ atomic_store(x, 1); atomic_store(x, 2); }}\nP1 (atomic_int* x) {{ int r; {wait} }}\nexists (1:r=2)"
        )
    };
    let waits = verdict(&text("do { r = atomic_load(x); } while (r != 2);"));
    assert_eq!(
        (waits.positive, &waits.coverage),
        (1, &Coverage::Exhaustive)
    );
    let jumps = verdict(&text("l: r = atomic_load(x); if (r != 2) goto l;"));
    assert!(jumps.ok && jumps.states.len() == 1);
    let bounded = Coverage::Bounded("4 turns of each loop".into());
    assert_eq!(jumps.coverage, bounded);
    for (body, what) in [
        ("goto nowhere;", "there is no label `nowhere`"),
        ("l: ; l: ;", "the label `l` stands here again"),
        ("do { } while (1)", "`;`"),
    ] {
        let text = format!("C t\n{{ }}\nP0 (int* x) {{ {body} }}\nexists (x=0)");
        let error = Test::parse(&text).expect_err(body);
        let words = error.render("t", &text);
        assert!(words.contains(what), "{words}");
    }
}

#[test]
fn ways_out_of_loops_switches_and_threads() {
    for (body, r) in [
        ("int r = 0; while (1) { r++; if (r == 3) break; }", "3"),
        (
            "int r = 0; int i = 0; while (i < 3) { i++; if (i == 2) continue; r += i; }",
            "4",
        ),
        (
            "int r = 0; for (int i = 0; i < 3; i++) { if (i == 1) continue; r += i; }",
            "2",
        ),
        (
            "int r = 0; do { r++; if (r == 2) continue; if (r == 3) break; } while (r < 9);",
            "3",
        ),
        (
            "int r = 0; int i = 0; while (i < 2) { i++; int j = 0; while (1) { j++; if (j == 2) break; } r += j; }",
            "4",
        ),
        ("int r = 1; if (r) return; r = 2;", "1"),
        (
            "int r = 1; while (1) { return atomic_fetch_add(x, 1); } r = 2;",
            "1",
        ),
        (
            "int r = 0; switch (*d) { case 1: r = 1; break; case 4: r = 5; break; default: r = 7; }",
            "5",
        ),
        (
            "int r = 0; switch (*d) { case 4: r = 5; case 6: r++; break; case 7: r = 9; }",
            "6",
        ),
        ("int r = 3; switch (*d) { case 1: r = 1; }", "3"),
        (
            "int r = 0; switch (*d) { default: r = 2; break; case 1: r = 1; }",
            "2",
        ),
        (
            "int r = 0; int i = 0; while (i < 3) { i++; switch (i) { case 2: continue; default: break; } r += i; }",
            "4",
        ),
    ] {
        assert_eq!(alone(body), r, "{body}");
    }
    for (body, what) in [
        ("break;", "there is no loop or `switch` around it"),
        (
            "switch (1) { case 1: continue; }",
            "there is no loop around it",
        ),
        ("case 1: ;", "there is no `switch`"),
        (
            "switch (1) { default: ; default: ; }",
            "`default` stands here again",
        ),
        ("switch (1) { case 1 ; }", "`:`"),
    ] {
        let text = format!("C t\n{{ }}\nP0 (int* x) {{ {body} }}\nexists (x=0)");
        let error = Test::parse(&text).expect_err(body);
        let words = error.render("t", &text);
        assert!(words.contains(what), "{words}");
    }
}

#[test]
fn what_c_leaves_undefined_is_said_and_the_rest_goes_on() {
    let text = |body: &str| {
        format!(
            "C t\n{{ x=0; }}\nP0 (atomic_int* x) {{ atomic_store(x, 1); }}\nP1 (atomic_int* x) {{ int r = atomic_load(x); {body} }}\nexists (1:r=1)"
        )
    };
    for (body, words) in [
        ("int s = 6 / r;", "division by zero, by P1 at t:4:"),
        ("int s = 6 % r;", "division by zero, by P1 at t:4:"),
        ("int s = 1 << (r - 1);", "shift by -1"),
        (
            "int* p = 0; if (r == 0) { *p = 1; }",
            "the address of no location",
        ),
    ] {
        for workers in [1, 2] {
            let limits = Limits {
                workers,
                ..Limits::default()
            };
            let verdict = verdict_of(&text(body), Engine::Explorer(Model::Rc11), &limits);
            let race = verdict.race.as_deref().unwrap_or_default();
            assert!(race.contains(words), "{body}: {race}");
            // The execution in which it is defined has its state.
            assert_eq!((verdict.ok, verdict.states.len()), (true, 1), "{body}");
            assert!(verdict.is_finding() && verdict.to_string().contains("\nUndef\n"));
        }
    }
    assert!(verdict(&text("int s = r == 0 ? 6 : 6 / r;")).race.is_none());
}

/// The depth of what is parsed, printed and lowered is bounded, whatever is nested in what.
#[test]
fn hostile_texts_are_refused_in_time() {
    let chain = |n: usize| format!("1{}", " + 1".repeat(n));
    let nested = (0..97).fold(chain(400), |inner, _| {
        format!("({inner}){}", " - 1".repeat(999))
    });
    let thread = |e: &str| format!("C t\n{{ }}\nP0 (int* x) {{ int r = {e}; }}\nexists (x=1)");
    let longest = (1..1000)
        .rev()
        .find(|n| Test::parse(&thread(&chain(*n))).is_ok())
        .expect("some chain is short enough");
    let long_condition = format!("exists (x=1{})", " \\/ x=1".repeat(400));
    let state = |entry: fn(usize) -> String| (0..60_000).map(entry).collect::<String>();
    let accepted = [
        thread(&chain(longest)),
        thread(&format!("{}1{}", "(".repeat(97), ")".repeat(97))),
        format!("C t\n{{ }}\nP0 (int* x) {{ }}\n{long_condition}"),
        format!(
            "C t\n{{ {} }}\nP0 () {{ }}\nexists (true)",
            (0..900).map(|n| format!("x{n}=1;")).collect::<String>()
        ),
        format!(
            "C t\n{{ }}\nP0 () {{ {} }}\nexists (true)",
            (0..5_000)
                .map(|n| format!("int r{n} = {n};"))
                .collect::<String>()
        ),
        format!(
            "C t\n{{ }}\nP0 () {{ {}; }}\nexists (true)",
            "if (1) while (0) ".repeat(40)
        ),
    ];
    let refused = [
        thread(&nested),
        thread(&format!("{}1", "- ".repeat(100_000))),
        thread(&format!("{}x", "*".repeat(100_000))),
        thread(&format!("x{}", "[0]".repeat(100_000))),
        thread(&format!("{}1", "(long)".repeat(100_000))),
        format!(
            "C t\n{{ {} }}\nP0 () {{ }}\nexists (true)",
            state(|n| format!("x{n}=1;"))
        ),
        format!(
            "C t\n{{ {} }}\nP0 () {{ }}\nexists (true)",
            state(|n| format!("0:r{n}=1;"))
        ),
        format!(
            "C t\n{{ }}\nP0 (int* x) {{ }}\nexists ({}x=1)",
            "~".repeat(100_000)
        ),
        format!(
            "C t\n{{ }}\nP0 (int* x) {{ }}\nexists (x=1{})",
            " => x=1".repeat(10_000)
        ),
        format!(
            "C t\n{{ }}\nP0 (int* x) {{ }}\nobserved {}",
            "x=1;".repeat(10_000)
        ),
        format!(
            "C t\n{{ }}\nP0 ({}) {{ }}",
            (0..50_000)
                .map(|n| format!("int* x{n},"))
                .collect::<String>()
        ),
        format!("C t\n{{ }}\nP0 (int{} x) {{ }}", "*".repeat(300)),
        format!(
            "C t\n{{ }}\nP0 ({}int{}* x) {{ }}",
            "_Atomic(".repeat(5000),
            ")".repeat(5000)
        ),
    ];
    // As little stack as a thread of the test harness has.
    let run = move || {
        for text in &accepted {
            let test = Test::parse(text).unwrap_or_else(|error| panic!("{error}"));
            let printed = test.to_string();
            assert!(Test::parse(&printed).expect("printed") == test);
            let code = test.lower();
            if code.observed.len() < 3 {
                assert!(outcomes(&code, Machine::Interleaving, 1000).is_some());
            }
            assert!(judge(&test, Engine::Explorer(Model::Sc), &Limits::default()).is_ok());
        }
        for text in &refused {
            let error = Test::parse(text).expect_err("too much");
            assert!(error.render("t", text).len() < 2000);
        }
    };
    let small = std::thread::Builder::new().stack_size(2 << 20);
    small.spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_time_limit_ends_with_what_was_seen() {
    let thread = |n: usize| {
        format!("P{n} (atomic_int* x) {{ atomic_fetch_add(x, 1); atomic_fetch_add(x, 2); }}\n")
    };
    let text = format!(
        "C t\n{{ }}\n{}exists (x=24)",
        (0..8).map(thread).collect::<String>()
    );
    let limits = Limits {
        time: Some(std::time::Duration::from_millis(50)),
        ..Limits::default()
    };
    let verdict = verdict_of(&text, Engine::Explorer(Model::Rc11), &limits);
    assert!(verdict.ok && verdict.positive > 0);
    assert!(
        matches!(&verdict.coverage, Coverage::Partial(words) if words.starts_with("stopped after")),
        "{}",
        verdict.coverage
    );
}

/// Texts that were found in the wild, or like them, with what herd says of them.
#[test]
fn verdicts_of_found_texts() {
    let sb = "C SB+void
{ x=0; y=0; }
void P0 (atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_relaxed);
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
}
void P1 (atomic_int* x, atomic_int* y) {
  atomic_store_explicit(y, 1, memory_order_relaxed);
  int r0 = atomic_load_explicit(x, memory_order_relaxed);
}
exists (0:r0=0 /\\ 1:r0=0)";
    let of = |text: &str, model| {
        let verdict = verdict_of(text, Engine::Explorer(model), &Limits::default());
        assert!(verdict.race.is_none(), "{verdict}");
        verdict.frequency
    };
    assert_eq!(of(sb, Model::Rc11), Frequency::Sometimes);
    assert_eq!(of(sb, Model::Tso), Frequency::Sometimes);
    assert_eq!(of(sb, Model::Sc), Frequency::Never);
    let casts = "C types-and-casts
{ int x=0; int* y; }
P0 (int* x, int* y) {
  (void) atomic_exchange_explicit(x, 1, memory_order_relaxed);
  int r0 = (int) atomic_load_explicit(y, memory_order_relaxed);
}
P1 (int* x, int* y) {
  atomic_store_explicit(y, 1, memory_order_relaxed);
  int r0 = atomic_load_explicit(x, memory_order_relaxed);
}
locations [x int; 0:r0 int; *y;]
exists (0:r0=0 /\\ 1:r0=0)";
    assert_eq!(of(casts, Model::Rc11), Frequency::Sometimes);
    // x86's LOCK CMPXCHG drains the buffer when it fails, too.
    let cas = "int e = 7; atomic_compare_exchange_strong_explicit(z, &e, 9, memory_order_seq_cst, memory_order_seq_cst);";
    let failed = sb
        .replace("void P", "P")
        .replace("atomic_int* y)", "atomic_int* y, atomic_int* z)");
    let failed = failed.replace("int r0", &format!("{cas} int r0"));
    assert_eq!(of(&failed, Model::Tso), Frequency::Never);
    assert_eq!(of(&failed, Model::Rc11), Frequency::Sometimes);
    let unless = "C C\n{ atomic_t x = ATOMIC_INIT(0); }\nP0 (atomic_int* x) { int r0; r0 = __atomic_add_unless{mb}(x, 10, 0); int r1; r1 = __atomic_add_unless{mb}(x, 10, 10); }\nforall (0: r0 = 0 /\\ 0: r1 = 1 /\\ x = 10)";
    assert_eq!(of(unless, Model::Rc11), Frequency::Always);
    let no_condition = "C C\n{ [x] = 0; [zero] = 0; }\nP0 (atomic_int* x, atomic_int *zero) { int r1 = atomic_compare_exchange_strong_explicit(x, zero, 1, memory_order_seq_cst, memory_order_relaxed); }\n\nP1 (atomic_int* x) { int r2 = atomic_load_explicit(x, memory_order_acquire); if (r2) { } }\n";
    assert_eq!(of(no_condition, Model::Rc11), Frequency::Always);
    let casts = "C C\n{ a = 1; x = 2; }\nP0(int *x, int *a) { WRITE_ONCE(*a, 3); smp_store_release(x, 4); }\nP1(int *a, int *x) { int r1; int r9; int *r1000; int r2; r1 = (int) rcu_dereference(*(char **)x); r9 = (r1 & 128); r1000 = (a+r9); r2 = READ_ONCE(*r1000); }\nexists (1:r1 = 4 /\\ 1:r2 = 1)";
    assert_eq!(of(casts, Model::Rc11), Frequency::Never);
    let wait = "C C\n{ spinlock_t r; }\nP0(spinlock_t *r,int *x,int *y) { int r0; WRITE_ONCE(*x,1) ; spin_unlock_wait(r); r0 = READ_ONCE(*y); }\nP1(spinlock_t *r,int *x,int *y) { int r1; spin_lock(r); WRITE_ONCE(*y,1); r1 = READ_ONCE(*x); spin_unlock(r); }\nexists (0:r0=0 /\\ 1:r1=0)";
    assert_eq!(of(wait, Model::Tso), Frequency::Sometimes);
    assert_eq!(of(wait, Model::Sc), Frequency::Never);
    let bare = "C C\n{}\nP0 (atomic_int* y) { atomic_store_explicit(y,1,memory_order_relaxed); }\nP1 (atomic_int* y) { int r1 = atomic_exchange_explicit(y,2,memory_order_relaxed); }\nregions: y:PROP\n~exists 1:r1=0 /\\ y=2\n";
    assert_eq!(of(bare, Model::Rc11), Frequency::Never);
}

#[test]
fn coverage_names_all_that_was_left_out() {
    // P0 may read 0 five times over before it is left once.
    let text = "C t\n{ }
P0 (atomic_int* x, atomic_int* y) { int i = 0; int r = 0; while (r == 0) { r = atomic_load(y); i++; } atomic_store(x, i); }
P1 (atomic_int* x, atomic_int* y) { atomic_store(x, 9); atomic_store(y, 1); int r1 = atomic_load(x); int r2 = atomic_load(x); }
exists (x=6)";
    let cut = "within 4 turns of each loop";
    let sc = |preemptions| {
        let limits = Limits {
            preemptions,
            ..Limits::default()
        };
        verdict_of(text, Engine::Explorer(Model::Sc), &limits)
            .coverage
            .to_string()
    };
    assert_eq!(sc(None), format!("exhaustive {cut}"));
    assert_eq!(
        sc(Some(1)),
        format!("exhaustive within 1 preemption under SC, {cut}")
    );
    // Rust's model has executions that nobody visits.
    let rust = |text: &str| {
        let verdict = verdict_of(text, Engine::Explorer(Model::Rust), &Limits::default());
        verdict.coverage.to_string()
    };
    let under = "under C++20 without load buffering";
    assert_eq!(rust(text), format!("exhaustive {cut} {under}"));
    assert_eq!(
        rust("C t\n{ }\nP0 (atomic_int* x) { }\nexists (x=0)"),
        format!("exhaustive {under}")
    );
}
