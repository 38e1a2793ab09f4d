//! A trigger over a map keeps the contract.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::batches::version;

#[derive(Default)]
struct Place(Mutex<BTreeMap<String, Bytes>>);

struct Listing(VecDeque<Arrival>);

#[async_trait]
impl Fixture for Place {
    async fn put(&self, key: &str, body: Bytes) {
        self.0.lock().expect("the place").insert(self.key(key), body);
    }

    fn key(&self, key: &str) -> String {
        format!("place/{key}")
    }

    async fn trigger(&self) -> Box<dyn Trigger> {
        let objects = self.0.lock().expect("the place");
        let arrival = |(key, body): (&String, &Bytes)| {
            let mut file = version(key, &format!("{body:?}"));
            file.size = body.len() as u64;
            Arrival { file, receipt: Receipt::None }
        };
        Box::new(Listing(objects.iter().map(arrival).collect()))
    }
}

#[async_trait]
impl Trigger for Listing {
    async fn next(&mut self) -> decant_core::Result<Option<Vec<Arrival>>> {
        let page: Vec<Arrival> = self.0.drain(..self.0.len().min(1_000)).collect();
        Ok((!page.is_empty()).then_some(page))
    }

    async fn acknowledge(&mut self, _: &Receipt) -> decant_core::Result<()> {
        Ok(())
    }
}

crate::trigger_conformance!(Place::default());
