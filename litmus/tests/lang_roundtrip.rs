//! Round trip and robustness of the litmus language on random texts.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use threadbare_litmus::lang::Test;
use threadbare_litmus::lang::ast::*;

/// Accessed by `atomic_…` functions.
const ATOMICS: [&str; 2] = ["x", "y"];
/// Accessed by `*`.
const PLAIN: [&str; 2] = ["d", "e"];
const REGISTERS: [&str; 3] = ["r0", "r1", "tmp"];
const LOADS: [Order; 3] = [Order::Relaxed, Order::Acquire, Order::SeqCst];
const STORES: [Order; 3] = [Order::Relaxed, Order::Release, Order::SeqCst];
const ALL: [Order; 5] = [
    Order::Relaxed,
    Order::Acquire,
    Order::Release,
    Order::AcqRel,
    Order::SeqCst,
];

fn name(from: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(from).prop_map(String::from)
}

fn value() -> impl Strategy<Value = i64> {
    prop_oneof![-3i64..10, (i64::MIN + 1)..=i64::MAX]
}

fn load() -> impl Strategy<Value = Expr> {
    prop_oneof![
        name(&PLAIN).prop_map(|location| Expr::Load(location, Order::Plain)),
        (name(&ATOMICS), select(&LOADS[..]))
            .prop_map(|(location, order)| Expr::Load(location, order)),
    ]
}

fn expected() -> impl Strategy<Value = Expected> {
    prop_oneof![
        name(&REGISTERS).prop_map(Expected::Reg),
        name(&PLAIN).prop_map(Expected::Location)
    ]
}

/// Read-modify-writes over operands from `inner`.
fn update(inner: impl Strategy<Value = Expr> + Clone) -> impl Strategy<Value = Expr> {
    let cas = (
        name(&ATOMICS),
        expected(),
        inner.clone(),
        select(&ALL[..]),
        select(&LOADS[..]),
        any::<bool>(),
    );
    prop_oneof![
        (
            select(&RmwOp::ALL[..]),
            name(&ATOMICS),
            inner,
            select(&ALL[..])
        )
            .prop_map(|(op, location, operand, order)| Expr::Rmw(
                op,
                location,
                Box::new(operand),
                order
            )),
        cas.prop_map(|(location, expected, desired, success, failure, weak)| {
            Expr::Cas(Box::new(Cas {
                location,
                expected,
                desired,
                success,
                failure,
                weak,
            }))
        }),
    ]
}

fn expr() -> impl Strategy<Value = Expr> + Clone {
    let leaf = prop_oneof![
        value().prop_map(Expr::Const),
        name(&REGISTERS).prop_map(Expr::Reg),
        load()
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        let unary = select(&[UnOp::Neg, UnOp::Not][..]);
        prop_oneof![
            (unary, inner.clone()).prop_map(|(op, e)| Expr::Unary(op, Box::new(e))),
            (select(&BinOp::ALL[..]), inner.clone(), inner.clone())
                .prop_map(|(op, a, b)| Expr::Binary(op, Box::new(a), Box::new(b))),
            update(inner),
        ]
    })
}

fn stmt() -> impl Strategy<Value = Stmt> {
    let stores = prop_oneof![
        (name(&PLAIN), expr()).prop_map(|(location, e)| StmtKind::Store(location, e, Order::Plain)),
        (name(&ATOMICS), expr()).prop_map(|(location, e)| StmtKind::Store(
            location,
            e,
            Order::Plain
        )),
        (name(&ATOMICS), expr(), select(&STORES[..]))
            .prop_map(|(location, e, order)| StmtKind::Store(location, e, order)),
    ];
    let leaf = prop_oneof![
        (name(&REGISTERS), option::of(expr()))
            .prop_map(|(register, e)| StmtKind::Declare(register, e)),
        (name(&REGISTERS), expr()).prop_map(|(register, e)| StmtKind::Assign(register, e)),
        stores,
        select(&ALL[..]).prop_map(StmtKind::Fence),
        prop_oneof![load().boxed(), update(expr()).boxed()].prop_map(StmtKind::Effect),
    ];
    let leaf = leaf.prop_map(|kind| Stmt {
        at: Default::default(),
        kind,
    });
    leaf.prop_recursive(3, 12, 3, |inner| {
        (expr(), vec(inner.clone(), 0..3), vec(inner, 0..3)).prop_map(|(test, then, other)| Stmt {
            at: Default::default(),
            kind: StmtKind::If(test, then, other),
        })
    })
}

fn thread() -> impl Strategy<Value = Thread> {
    vec(stmt(), 0..5).prop_map(|mut body| {
        let declare = |register: &&str| StmtKind::Declare(register.to_string(), None);
        let declarations: Vec<Stmt> = REGISTERS
            .iter()
            .map(declare)
            .map(|kind| Stmt {
                at: Default::default(),
                kind,
            })
            .collect();
        body.splice(0..0, declarations);
        let param = |name: &&str| Param {
            name: name.to_string(),
            atomic: ATOMICS.contains(name),
        };
        Thread {
            params: ATOMICS.iter().chain(&PLAIN).map(param).collect(),
            body,
        }
    })
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        name(&ATOMICS).prop_map(Place::Location),
        name(&PLAIN).prop_map(Place::Location),
        (0usize..2, name(&REGISTERS))
            .prop_map(|(thread, register)| Place::Register(thread, register)),
    ]
}

fn prop() -> impl Strategy<Value = Prop> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Prop::Const),
        (place(), value()).prop_map(|(place, value)| Prop::Is(place, value)),
        (place(), place()).prop_map(|(a, b)| Prop::Same(a, b)),
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        let two = (inner.clone(), inner.clone()).prop_map(|(a, b)| (Box::new(a), Box::new(b)));
        prop_oneof![
            inner.prop_map(|p| Prop::Not(Box::new(p))),
            two.clone().prop_map(|(a, b)| Prop::And(a, b)),
            two.clone().prop_map(|(a, b)| Prop::Or(a, b)),
            two.prop_map(|(a, b)| Prop::Implies(a, b)),
        ]
    })
}

fn arbitrary_test() -> impl Strategy<Value = Test> {
    let head = (
        "[A-Za-z][A-Za-z0-9+._-]{0,10}",
        option::of("[^\"\r]{0,20}"),
        vec(("[A-Z][a-z0-9_]{0,5}", "([!-~]([ -~]*[!-~])?)?"), 0..3),
    );
    let init = vec((place(), value()), 0..4).prop_map(|all| {
        let mut out: Vec<Init> = Vec::new();
        for (place, value) in all {
            if out.iter().all(|init| init.place != place) {
                out.push(Init { place, value });
            }
        }
        out
    });
    let locations = vec(place(), 0..3).prop_map(|mut all| {
        all.sort();
        all.dedup();
        all
    });
    let quantifier = select(
        &[
            Quantifier::Exists,
            Quantifier::NotExists,
            Quantifier::Forall,
        ][..],
    );
    (
        head,
        init,
        vec(thread(), 2..4),
        locations,
        option::of(prop()),
        quantifier,
        prop(),
    )
        .prop_map(
            |((name, doc, info), init, threads, locations, filter, quantifier, prop)| Test {
                name,
                doc,
                info,
                init,
                threads,
                locations,
                filter,
                condition: Condition { quantifier, prop },
            },
        )
}

const SB: &str = r#"C SB+sc-fences
"Store buffering with fences"
Family=SB
(* comments (* nest *) here *)
{ [x]=0; int y = 0; 0:r1 = 7 }

P0 (atomic_int* x, volatile atomic_long* y) {
  atomic_store_explicit(x, 1, memory_order_relaxed); // C comments here
  atomic_thread_fence(memory_order_seq_cst);
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
}

P1 (_Atomic(int)* x, _Atomic int* y) {
  atomic_store_explicit(y, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_seq_cst);
  int r0;
  r0 = atomic_load_explicit(x, memory_order_relaxed);
}

locations [x; 0:r1;]
exists (0:r0=0 /\ 1:r0=0 \/ ~(x=1))
"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Text → tree → text → tree: both trees and both texts are equal.
    #[test]
    fn printing_and_parsing_are_inverse(test in arbitrary_test()) {
        let text = test.to_string();
        let parsed = Test::parse(&text).map_err(|error| TestCaseError::fail(error.render("printed", &text)))?;
        prop_assert_eq!(&parsed, &test);
        prop_assert_eq!(parsed.to_string(), text);
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        _ = Test::parse(&text);
        _ = Test::parse(&format!("C t\n{text}"));
        _ = Test::parse(&format!("C t\n{{}}\nP0 (int* x, atomic_int* y) {{ {text}"));
        _ = Test::parse(&format!("C t\n{{}}\nP0 () {{}}\nexists {text}"));
    }

    /// Real tests with pieces cut out, doubled or replaced: near misses reach
    /// deeper into the parser than noise. Errors render without panic too.
    #[test]
    fn mangled_tests_never_panic(
        from in 0usize..700, length in 0usize..40, to in 0usize..700,
        junk in "[ -~\n]{0,6}|\\PC{1,2}|(P0|if|\\(\\*|/\\*|\\{|\\}|exists|0x|~|=>|:|\\*){1,3}",
    ) {
        let clip = |at: usize| at.min(SB.len());
        let piece = &SB[clip(from)..clip(from + length)];
        let mangled = [
            format!("{}{junk}{}", &SB[..clip(to)], &SB[clip(to)..]),
            format!("{}{}", &SB[..clip(from)], &SB[clip(from + length)..]),
            format!("{}{piece}{}", &SB[..clip(to)], &SB[clip(to)..]),
        ];
        for text in mangled {
            if let Err(error) = Test::parse(&text) {
                _ = error.render("mangled", &text);
            }
        }
    }
}
