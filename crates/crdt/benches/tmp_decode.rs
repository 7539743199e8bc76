use crdt::{Author, Crdt, Hlc, ReplicaId, RgaText};
struct Clock(Hlc, u8);
impl Author for Clock {
    fn replica(&self) -> ReplicaId {
        ReplicaId([self.1; 16])
    }
    fn tick(&mut self) -> Hlc {
        self.0 = Hlc::next(self.0, 0);
        self.0
    }
    fn is_exclusive(&self) -> bool {
        true
    }
}
fn main() {
    let mut clock = Clock(Hlc(1), 1);
    let line = "The quick brown fox jumps over the lazy dog.\n";
    let text = line.repeat(100_000 / line.len() + 1);
    let mut edited = RgaText::settle(None, &RgaText::assign(text), &mut clock).unwrap();
    for number in 0..1_000 {
        let at = number * 7_919 % edited.length();
        let new = edited.insert(at, "new".to_owned()).unwrap();
        let new = new.delete(at / 2, 2).unwrap();
        edited = RgaText::settle(Some(&edited), &new, &mut clock).unwrap();
    }
    let bytes = edited.encode();
    let b = std::time::Instant::now();
    let n = 3000;
    for _ in 0..n {
        std::hint::black_box(RgaText::decode(std::hint::black_box(&bytes)).unwrap());
    }
    println!("{:?}", b.elapsed() / n);
}
