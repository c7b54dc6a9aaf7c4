//! The harness's quick ways of counting outcomes against counting each.

use std::process::Command;

const AGAINST_EACH: &str = r#"
class Fake(object):
    free = ()
    spec = {}
    checked = 0

    def check(self, o):
        assert type(o) is Tok, o
        self.checked += 1

    def outcome(self, k):
        return " | ".join([render(x) for x in k])


quick, slow = 0, 0
for seed in range(300):
    rng, run = Lcg(seed), Fake()
    tally, each, objects = Tally(run), {}, [Tok(i) for i in range(1001)]
    usual = (None, rng.below(3), (1, 2))
    for stride in range(6):
        n = rng.below(1000) + (stride == 0)
        # From strides that are all alike to strides of which most are not, and now and then with
        # outcomes that only their text tells apart.
        share = (0, 0, 3, 40, 700)[rng.below(5)]
        keys = []
        for i in range(n):
            k = usual
            if rng.below(1000) < share:
                k = (None, rng.below(12), ([1], (1, 2), (3,))[rng.below(3) if seed % 5 == 0 else 1 + rng.below(2)])
            if seed % 3 == 1 and (i == 0 and stride == 0 or rng.below(50) == 0):
                # Equal to one another, and not the same. Those of the first stride are always told apart;
                # that they come up later beside what was always the same is found by samples.
                k = (None, (1, True, 1.0)[rng.below(3)], ((1, 2), (True, 2), (0.0,), (-0.0,))[rng.below(4)])
            if seed % 7 == 2 and stride and rng.below(100) == 0:
                # A text with an address: what was counted by value until then goes on as text.
                k = (None, 0, "<Tok object at 0x%d>" % rng.below(3))
            keys.append(k)
            text = run.outcome(k)
            each[text] = each.get(text, 0) + 1
        tally.count([list(column) for column in zip(*keys)] or [[], [], []], objects[:n])
        quick += tally.common is not None
    slow += bool(tally.slow)
    counts = tally.all()
    assert counts == each, (seed, counts, each)
    assert run.checked >= len(each), (seed, run.checked, len(each))
assert quick > 100 and slow > 10, (quick, slow)
print("same", quick, slow)
"#;

#[test]
fn outcomes_are_counted_as_if_each_were_looked_at() {
    let file = tempfile::NamedTempFile::with_suffix(".py").expect("a temporary file");
    let text = format!("{}{AGAINST_EACH}", threadbare_stress::HARNESS);
    std::fs::write(&file, text).expect("the file is written");
    let output = Command::new("python3")
        .arg(file.path())
        .output()
        .expect("python3 is on PATH");
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("same"), "{said}{error}");
}
