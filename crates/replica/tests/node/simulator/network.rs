//! The network of a cluster, and what nodes ask of their surroundings: messages take their time, are lost,
//! arrive twice, meet a split; ticks come when they are asked for.

use replica::Effect;

use super::cluster::{Cluster, Event};

impl Cluster {
    /// Sends the reply to `from`, and gives back the other effects.
    pub(super) fn answer(
        &mut self,
        node: usize,
        from: usize,
        process: u64,
        id: u64,
        token: u64,
        effects: Option<Vec<Effect>>,
    ) -> Option<Vec<Effect>> {
        let Some(effects) = effects else {
            let result = Err("the connection was closed".to_owned());
            self.send(
                node,
                from,
                Event::Answer {
                    from: node,
                    process,
                    id,
                    result,
                },
            );
            return None;
        };
        let (replies, others): (Vec<_>, Vec<_>) = effects
            .into_iter()
            .partition(|effect| matches!(effect, Effect::Reply { .. }));
        assert_eq!(replies.len(), 1, "a request has one answer");
        if let Some(Effect::Reply {
            token: answered,
            response,
        }) = replies.into_iter().next()
        {
            assert_eq!(answered, token);
            let bytes = response.encode(&self.hosts[node].store.chain);
            let result = Ok(bytes);
            self.send(
                node,
                from,
                Event::Answer {
                    from: node,
                    process,
                    id,
                    result,
                },
            );
        }
        Some(others)
    }

    pub(super) fn carry_out(&mut self, node: usize, effect: Effect) {
        match effect {
            Effect::Send { peer, id, request } => {
                let to = self.hosts.iter().position(|host| host.id == peer).unwrap();
                let bytes = request.encode(&self.hosts[node].store.chain);
                self.note(node, to, id, &bytes);
                let process = self.hosts[node].process;
                if self.hosts[to].node.is_none() || self.is_cut_off(node, to) {
                    let result = Err("no route".to_owned());
                    self.at(
                        self.now_ms + 20,
                        node,
                        Event::Answer {
                            from: to,
                            process,
                            id,
                            result,
                        },
                    );
                    return;
                }
                self.send(
                    node,
                    to,
                    Event::Ask {
                        from: node,
                        process,
                        id,
                        bytes,
                    },
                );
            }
            Effect::Reply { .. } => unreachable!("only requests are answered"),
            Effect::Report(report) => self.reports.push(report),
        }
    }

    /// Puts a message on its way: it takes its time, is lost, arrives twice.
    fn send(&mut self, from: usize, to: usize, event: Event) {
        let calm = self.calm;
        let delay = if calm {
            5
        } else {
            self.random.range(1, self.plan.delay_ms + 1)
        };
        let at = self.now_ms + delay;
        if !calm && (self.random.permille(self.plan.loss) || self.is_cut_off(from, to)) {
            if let (Event::Ask { process, id, .. }, true) = (&event, self.random.permille(700)) {
                let (process, id) = (*process, *id);
                let result = Err("timed out".to_owned());
                self.at(
                    at + 2_000,
                    from,
                    Event::Answer {
                        from: to,
                        process,
                        id,
                        result,
                    },
                );
            }
            return;
        }
        if !calm
            && self.random.permille(self.plan.duplication)
            && let Event::Ask {
                from,
                process,
                id,
                bytes,
            } = &event
        {
            let (from, process, id, bytes) = (*from, *process, *id, bytes.clone());
            let again = at + self.random.range(0, 3_000);
            self.at(
                again,
                to,
                Event::Ask {
                    from,
                    process,
                    id,
                    bytes,
                },
            );
        }
        self.at(at, to, event);
    }

    fn is_cut_off(&self, a: usize, b: usize) -> bool {
        self.partitions.iter().any(|(from, until, side)| {
            (*from..*until).contains(&self.now_ms) && side.contains(&a) != side.contains(&b)
        })
    }

    /// Ticks come when the node asks for them.
    pub(super) fn wake(&mut self, node: usize) {
        let host = &self.hosts[node];
        let Some(due_ms) = host.node.as_ref().map(replica::Node::next_tick_ms) else {
            return;
        };
        let at = due_ms
            .saturating_add_signed(-host.clock_off_ms)
            .max(self.now_ms + 1);
        if self.ticks.get(&node).is_none_or(|planned| at < *planned) {
            self.ticks.insert(node, at);
            self.at(at, node, Event::Tick);
        }
    }
}
