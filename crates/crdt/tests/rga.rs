//! rga: the laws, and what those who change one list rely on.

mod world;

use crdt::rga::Values;
use crdt::{Crdt, CrdtError, Rga};
use world::{Clock, Driven, hostile::hostile, laws::laws};

fn values(json: &str) -> Values {
    Values::of_array(json).unwrap()
}

impl Driven for Rga {
    fn literal(seed: u8) -> Self {
        let list = [r#"[1,"a",2]"#, r#"[{"b":[1,2],"a":","}]"#, "[null,null]"];
        Self::assign(values(list[usize::from(seed) % 3]))
    }

    fn operated(&self, seed: u8) -> Self {
        let length = self.length();
        let at = usize::from(seed >> 2) % (length + 1);
        match seed % 3 {
            0 => self.insert(at, values(&format!("[{seed},[1]]"))).unwrap(),
            1 => self.delete(at, (length - at).min(2)).unwrap(),
            _ => self.insert(0, values(r#"["x\"]"]"#)).unwrap(),
        }
    }
}

laws! {
    rga: Rga;
}

hostile! {
    rga_bytes: Rga;
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A release that reads yesterday's rows differently loses them.
#[test]
fn golden_bytes() {
    assert_eq!(hex(&Rga::default().encode()), "010000000000");
    assert_eq!(
        hex(&Rga::assign(values("[1, \"a\"]")).encode()),
        "01020000000002013103226122"
    );
    let mut clock = Clock::new(1);
    let one = Rga::settle(None, &Rga::assign(values("[1, [2], 3]")), &mut clock).unwrap();
    let ones = "01".repeat(16);
    // One operation of tick 2 with 3 elements.
    let replicas = format!("01{ones}0002020201") + "01";
    let content = "08".to_owned() + "0131" + "035b325d" + "0133";
    assert_eq!(
        hex(&one.encode()),
        format!("0100{content}{replicas}010403030500") + "000002"
    );
    let two = Rga::settle(Some(&one), &one.delete(1, 1).unwrap(), &mut clock).unwrap();
    assert_eq!(
        hex(&two.encode()),
        format!("0100040131{}{replicas}010409020201", "0133") + "000000" + "030000" + "020000"
    );
    let delta = Rga::delta(Some(&one), &two).unwrap();
    assert_eq!(
        hex(&delta.encode()),
        format!("01040001{ones}0102") + "0001010100"
    );
}

/// Commas and brackets inside of values must not tear them.
#[test]
fn arrays_come_apart_at_their_own_commas() {
    let list = values(r#"[ "a,]\"", [1, [2]], {"k": ","}, -1.0, null ]"#);
    assert_eq!(
        list.as_slice(),
        [r#""a,]\"""#, "[1,[2]]", r#"{"k":","}"#, "-1.0", "null"]
    );
    assert_eq!(values("[]").as_slice().len(), 0);
    assert!(Values::of_array("{}").is_err());
    assert!(Values::of_array("[1").is_err());
    assert_eq!(
        Rga::assign(list).to_text(),
        r#"["a,]\"",[1,[2]],{"k":","},-1.0,null]"#
    );
}

/// Two nodes that append to one list must both be found in it, also where both wrote all of it.
#[test]
fn two_writes_of_the_whole_list_both_survive() {
    let (mut a, mut b) = (Clock::new(1), Clock::new(2));
    let row = Rga::settle(None, &Rga::assign(values("[1,2,3]")), &mut a).unwrap();
    let write = |json: &str, clock: &mut Clock| {
        Rga::settle(Some(&row), &Rga::assign(values(json)), clock).unwrap()
    };
    let here = write("[0,1,2,3]", &mut a);
    let there = write("[1,3,4]", &mut b);
    assert_eq!(here.join(&there).unwrap().value(), Ok(values("[0,1,3,4]")));
    let beyond = row.delete(2, 2);
    assert_eq!(beyond, Err(CrdtError::OutOfRange { at: 3, length: 3 }));
}
