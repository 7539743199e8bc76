//! `crdt.node`: what it says of a member beside the member's own record, and
//! who is said to have left, against the membership that the ops lead to.

use super::{Doubt, twice};
use crate::catalog;
use ledger::{Member, NodeId, Report, Role};

struct Row {
    id: i32,
    node_id: Vec<u8>,
    name: String,
    url: String,
    role: String,
    record: Vec<u8>,
    left_after: Option<i64>,
    admitted: i64,
}

pub fn doubts(report: &Report) -> Vec<Doubt> {
    let rows = catalog::query(
        "SELECT n.id, n.node_id, n.name, n.url, n.role, n.record, n.left_after, coalesce(p.seq, 0)
           FROM crdt.node n LEFT JOIN crdt.position p ON p.origin = n.id ORDER BY n.id",
        &[],
        |row| Row {
            id: row.need(1),
            node_id: row.need(2),
            name: row.need(3),
            url: row.need(4),
            role: row.need(5),
            record: row.need(6),
            left_after: row.get(7),
            admitted: row.need(8),
        },
    );
    let mut doubts = Vec::new();
    let again = twice(&rows, |row| row.id);
    doubts.extend(again.map(|row| row.doubt("two nodes have this number")));
    for row in &rows {
        row.check(report, &mut doubts);
    }
    doubts
}

impl Row {
    fn doubt(&self, what: &str) -> Doubt {
        Doubt::new("node", "node_altered", format!("id {}", self.id), what).of(&self.name)
    }

    fn check(&self, report: &Report, doubts: &mut Vec<Doubt>) {
        let Ok(record) = Member::from_bytes(&self.record) else {
            return doubts.push(self.doubt("the member's record cannot be read"));
        };
        // A record that is not the one that the ops lead to is the verifier's
        // finding, once.
        let known = self.node_id.as_slice().try_into().ok().map(NodeId);
        let member = report
            .members
            .as_ref()
            .zip(known)
            .and_then(|(members, node)| members.ever(&node))
            .unwrap_or(&record);
        let role = match member.role {
            Role::Member => "member",
            Role::Validator => "validator",
        };
        let fields = [
            ("the name", &member.name, &self.name),
            ("the URL", &member.url, &self.url),
            ("the role", &role.to_owned(), &self.role),
            (
                "the node id",
                &hex::encode(member.node_id.0),
                &hex::encode(&self.node_id),
            ),
        ];
        for (what, expected, found) in fields {
            if expected != found {
                let what = format!("{what} is not that of the member's record");
                doubts.push(self.doubt(&what).differs(expected, found));
            }
        }
        let Some(members) = &report.members else {
            return;
        };
        let present = members.get(&member.node_id).is_some();
        match self.left_after {
            Some(left) if present => {
                let what = "the member is said to have left, and has not";
                doubts.push(self.doubt(what).differs("NULL", left));
            }
            None if !present && members.ever(&member.node_id).is_some() => {
                let what = "the member has left, and is said to be here";
                doubts.push(self.doubt(what).differs("a number", "NULL"));
            }
            // How far it had come here when it left, no signature says.
            Some(left) if !(0..=self.admitted).contains(&left) => {
                let what = "the member is said to have left after ops that are not here";
                let expected = format!("0 to {}", self.admitted);
                doubts.push(self.doubt(what).differs(expected, left));
            }
            _ => {}
        }
    }
}
