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
/// An array of plain numbers.
const ARRAY: &str = "a";
const REGISTERS: [&str; 3] = ["r0", "r1", "tmp"];
/// A register that points to plain numbers.
const POINTER: &str = "p";
const LOADS: [Order; 3] = [Order::Relaxed, Order::Acquire, Order::SeqCst];
const STORES: [Order; 3] = [Order::Relaxed, Order::Release, Order::SeqCst];
const ALL: [Order; 5] = [
    Order::Relaxed,
    Order::Acquire,
    Order::Release,
    Order::AcqRel,
    Order::SeqCst,
];

fn name(from: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    select(from).prop_map(String::from)
}

fn int() -> impl Strategy<Value = i64> {
    prop_oneof![-3i64..10, (i64::MIN + 1)..=i64::MAX]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => int().prop_map(Value::Int),
        1 => name(&ATOMICS).prop_map(Value::Address),
        1 => Just(Value::Address(ARRAY.into())),
    ]
}

fn int_type() -> impl Strategy<Value = IntType> {
    let wide = (select(&[8u8, 16, 32, 64][..]), any::<bool>());
    let wide = wide.prop_map(|(bits, signed)| IntType::new(bits, signed));
    prop_oneof![8 => wide, 1 => Just(IntType::BOOL)]
}

fn atomic() -> impl Strategy<Value = Expr> + Clone {
    name(&ATOMICS).prop_map(Expr::Address)
}

/// The address of plain memory.
fn plain() -> impl Strategy<Value = Expr> + Clone {
    let element = (0i64..3).prop_map(|index| {
        let (array, index) = (Expr::Address(ARRAY.into()), Expr::Const(index));
        Expr::Binary(BinOp::Add, Box::new(array), Box::new(index))
    });
    prop_oneof![
        4 => name(&PLAIN).prop_map(Expr::Address),
        1 => Just(Expr::Reg(POINTER.into())),
        1 => element,
    ]
}

fn load() -> impl Strategy<Value = Expr> {
    prop_oneof![
        plain().prop_map(|address| Expr::Load(Box::new(address), Order::Plain)),
        (atomic(), select(&LOADS[..]))
            .prop_map(|(address, order)| Expr::Load(Box::new(address), order)),
    ]
}

fn expected() -> impl Strategy<Value = Expected> {
    prop_oneof![
        name(&REGISTERS).prop_map(Expected::Reg),
        plain().prop_map(Expected::Memory)
    ]
}

/// Read-modify-writes over operands from `inner`.
fn update(inner: impl Strategy<Value = Expr> + Clone) -> impl Strategy<Value = Expr> {
    let cas = (
        atomic(),
        expected(),
        inner.clone(),
        select(&ALL[..]),
        select(&LOADS[..]),
        any::<bool>(),
    );
    let cas = cas.prop_map(|(address, expected, desired, success, failure, weak)| {
        Expr::Cas(Box::new(Cas {
            address,
            expected,
            desired,
            success,
            failure,
            weak,
        }))
    });
    let rmw = |orders: &'static [Order]| {
        let parts = (
            select(&RmwOp::ALL[..]),
            atomic(),
            inner.clone(),
            select(orders),
        );
        parts.prop_map(|(op, address, operand, order)| {
            Expr::Rmw(op, Box::new(address), Box::new(operand), order)
        })
    };
    let cmpxchg = |orders: &'static [Order]| {
        let parts = (atomic(), inner.clone(), inner.clone(), select(orders));
        parts.prop_map(|(address, old, new, order)| {
            Expr::CmpXchg(Box::new(CmpXchg {
                address,
                old,
                new,
                order,
            }))
        })
    };
    let unless = (atomic(), inner.clone(), inner.clone());
    prop_oneof![
        4 => rmw(&ALL),
        4 => cas,
        1 => rmw(&[Order::Relaxed]).prop_map(|e| Expr::Fenced(Box::new(e))),
        1 => cmpxchg(&[Order::Relaxed, Order::Acquire, Order::Release]),
        1 => cmpxchg(&[Order::Relaxed]).prop_map(|e| Expr::Fenced(Box::new(e))),
        1 => unless.prop_map(|(x, a, u)| Expr::AddUnless(Box::new([x, a, u]))),
    ]
}

fn expr() -> impl Strategy<Value = Expr> + Clone {
    let leaf = prop_oneof![
        int().prop_map(Expr::Const),
        name(&REGISTERS).prop_map(Expr::Reg),
        load()
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        let unary = select(&[UnOp::Neg, UnOp::Not, UnOp::BitNot][..]);
        prop_oneof![
            (unary, inner.clone()).prop_map(|(op, e)| Expr::Unary(op, Box::new(e))),
            (int_type(), inner.clone()).prop_map(|(ty, e)| Expr::Cast(Type::of(ty), Box::new(e))),
            (select(&BinOp::ALL[..]), inner.clone(), inner.clone())
                .prop_map(|(op, a, b)| Expr::Binary(op, Box::new(a), Box::new(b))),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(test, a, b)| Expr::Cond(Box::new([test, a, b]))),
            update(inner),
        ]
    })
}

/// A label that every thread ends with.
const LABEL: &str = "done";

fn at(kind: StmtKind) -> Stmt {
    Stmt {
        at: Default::default(),
        kind,
    }
}

fn stmt() -> impl Strategy<Value = Stmt> {
    let stores = prop_oneof![
        (plain(), expr()).prop_map(|(address, e)| StmtKind::Store(address, e, Order::Plain)),
        (atomic(), expr()).prop_map(|(address, e)| StmtKind::Store(address, e, Order::Plain)),
        (atomic(), expr(), select(&STORES[..]))
            .prop_map(|(address, e, order)| StmtKind::Store(address, e, order)),
    ];
    let effects = expr().prop_filter("does something", Expr::touches_memory);
    let leaf = prop_oneof![
        (name(&REGISTERS), option::of(expr())).prop_map(|(register, e)| StmtKind::Declare(
            Type::INT,
            register,
            e
        )),
        (name(&REGISTERS), expr()).prop_map(|(register, e)| StmtKind::Assign(register, e)),
        plain().prop_map(|address| StmtKind::Assign(POINTER.into(), address)),
        stores,
        select(&ALL[..]).prop_map(StmtKind::Fence),
        atomic().prop_map(StmtKind::Lock),
        effects.prop_map(StmtKind::Effect),
        Just(StmtKind::Goto(LABEL.into())),
    ];
    leaf.prop_map(at).prop_recursive(3, 12, 3, |inner| {
        let body = || vec(inner.clone(), 0..3);
        prop_oneof![
            2 => (expr(), body(), body())
                .prop_map(|(test, then, other)| at(StmtKind::If(test, then, other))),
            1 => (expr(), body()).prop_map(|(test, body)| at(StmtKind::While(test, body))),
            1 => (expr(), body()).prop_map(|(test, body)| at(StmtKind::DoWhile(body, test))),
        ]
    })
}

fn thread() -> impl Strategy<Value = Thread> {
    vec(stmt(), 0..5).prop_map(|mut body| {
        let declare = |register: &&str| StmtKind::Declare(Type::INT, register.to_string(), None);
        let pointer = StmtKind::Declare(Type::INT.pointer(), POINTER.into(), None);
        let declarations: Vec<Stmt> = REGISTERS
            .iter()
            .map(declare)
            .chain([pointer])
            .map(at)
            .collect();
        body.splice(0..0, declarations);
        body.push(at(StmtKind::Label(LABEL.into())));
        let param = |name: &&str| Param {
            name: name.to_string(),
            ty: Type {
                atomic: ATOMICS.contains(name),
                ..Type::INT
            },
        };
        let params = ATOMICS.iter().chain(&PLAIN).chain(&[ARRAY]);
        Thread {
            params: params.map(param).collect(),
            body,
        }
    })
}

fn place() -> impl Strategy<Value = Variable> {
    prop_oneof![
        name(&ATOMICS).prop_map(Variable::Location),
        name(&PLAIN).prop_map(Variable::Location),
        (0usize..3).prop_map(|index| Variable::Location(format!("{ARRAY}[{index}]"))),
        (0usize..2, name(&REGISTERS))
            .prop_map(|(thread, register)| Variable::Register(thread, register)),
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
        option::of("[ !#-~é\n]{0,20}"),
        vec(("[A-Z][a-z0-9_]{0,5}", "([!-~]([ -~]*[!-~])?)?"), 0..3),
    );
    let one = place().prop_filter(
        "no element alone",
        |place| !matches!(place, Variable::Location(name) if name.contains('[')),
    );
    let typed = |ty: Option<IntType>| ty.map(Type::of);
    let array = (option::of(int_type()), vec(value(), 3)).prop_map(move |(ty, values)| Init {
        ty: typed(ty),
        place: Variable::Location(ARRAY.into()),
        value: InitValue::Array(values),
    });
    let init =
        (array, vec((option::of(int_type()), one, value()), 0..4)).prop_map(move |(array, all)| {
            let mut out = vec![array];
            for (ty, place, value) in all {
                // A register's type is that of its declaration in the thread.
                let number = matches!((&place, &value), (Variable::Location(_), Value::Int(_)));
                if out.iter().all(|init| init.place != place)
                    && (number || matches!(place, Variable::Location(_)))
                {
                    out.push(Init {
                        ty: typed(ty).filter(|_| number),
                        place,
                        value: InitValue::One(value),
                    });
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// The fuzz target's body on random bytes: edited texts of ours.
    #[test]
    fn edited_texts_are_refused_or_read_back(bytes in vec(any::<u8>(), 0..90)) {
        threadbare_litmus::lang::fuzzing::litmus_text(&bytes);
    }
}

/// 2⁶³ is the one constant whose negative is a constant and itself not.
#[test]
fn the_constant_without_a_positive_reads_back() {
    let source = "C big\n{}\nP0(atomic_int* x) { int r0 = - (9223372036854775808) == 9223372036854775808; }\n\
                  exists (0:r0=1)\n";
    let test = Test::parse(source).expect("it is C");
    let printed = test.to_string();
    let again = Test::parse(&printed).expect("it is printed as C");
    assert_eq!(again.to_string(), printed);
    assert_eq!(again, test, "{printed}");
}
