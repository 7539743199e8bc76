//! rga_text: the laws, and what people who type into one text rely on.

mod world;

use crdt::{Crdt, RgaText};
use world::{Driven, laws::laws};

impl Driven for RgaText {
    fn literal(seed: u8) -> Self {
        let line = ["abc", "äöü", "x\ny", "hello"][usize::from(seed) % 4];
        Self::assign(format!("{line}{}", seed % 16))
    }

    fn operated(&self, seed: u8) -> Self {
        let length = self.length();
        let at = usize::from(seed >> 2) % (length + 1);
        match seed % 4 {
            0 => self.insert(at, "é".to_owned()).unwrap(),
            1 => self.insert(at, format!("w{seed}")).unwrap(),
            2 => self.delete(at, (length - at).min(3)).unwrap(),
            _ => {
                let cut = self.delete(at, (length - at).min(1)).unwrap();
                let at = at.min(cut.length());
                cut.insert(at, "Z".to_owned())
                    .and_then(|put| put.insert(0, "^".to_owned()))
                    .unwrap()
            }
        }
    }
}

laws! {
    rga_text: RgaText;
}
