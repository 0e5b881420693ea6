//! Asking for many objects of one kind in as few calls as EC2 allows.

use std::collections::BTreeSet;
use std::future::Future;

use aws_sdk_ec2::types::Filter;
use futures::future::try_join_all;
use reconcile_model::tags;
use reconcile_provider::ProviderError;

use crate::{Aws, filters};

/// How many values one filter takes (EC2 API, `Filter`).
const VALUES: usize = 200;

/// How objects of one kind can be asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// The filter that takes their ids.
    pub(crate) filter: &'static str,
    /// How many of them one page holds; `usize::MAX` where the operation knows no pages.
    pub(crate) page: usize,
}

impl Ask {
    /// Returns the calls to make by id.
    fn by_id(self, count: usize) -> usize {
        count.div_ceil(VALUES)
    }

    /// Tells whether asking for everything of the stack takes fewer calls than asking for so many ids.
    fn is_cheaper_by_stack(self, count: usize) -> bool {
        count.div_ceil(self.page) < self.by_id(count)
    }
}

/// Returns those of the objects that exist. `describe` reads all pages for some filters, `id` tells what a filter for
/// ids would have found an object by.
///
/// The ids are put into filters, which leave out what does not exist, where a list of ids fails as a whole. When there
/// are many, everything that is tagged as the stack's is read instead; then what that did not find, because its tag is
/// gone or the index of tags lags behind, is asked for by id.
pub(crate) async fn many<T, F, Fut>(
    cx: &Aws,
    ask: Ask,
    ids: BTreeSet<String>,
    describe: F,
    id: fn(&T) -> Option<&str>,
) -> Result<Vec<T>, ProviderError>
where
    F: Fn(Filter) -> Fut,
    Fut: Future<Output = Result<Vec<T>, ProviderError>>,
{
    let mut missing = ids;
    let mut found = Vec::new();
    if ask.is_cheaper_by_stack(missing.len()) {
        let stack = filters::exactly(&format!("tag:{}", tags::STACK), [cx.stack()]);
        found = describe(stack).await?;
        found.retain(|object| id(object).is_some_and(|id| missing.remove(id)));
    }
    let missing: Vec<String> = missing.into_iter().collect();
    let parts = missing.chunks(VALUES).map(|ids| describe(filters::exactly(ask.filter, ids)));
    found.extend(try_join_all(parts).await?.into_iter().flatten());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use reconcile_model::Object;

    use super::*;

    const ASK: Ask = Ask { filter: "thing-id", page: 1000 };

    /// Asks for things `0..count`, of which those in `untagged` have lost their tag, and returns the calls made, each
    /// as its filter's name and number of values, and how many things were found.
    async fn ask(count: usize, untagged: &[usize]) -> (Vec<(String, usize)>, usize) {
        let cx = Aws::new("web", &Object::new());
        let calls = Mutex::new(Vec::new());
        let ids: BTreeSet<String> = (0..count).map(|number| format!("t-{number}")).collect();
        let describe = |filter: Filter| {
            let name = filter.name().unwrap().to_owned();
            let found: Vec<String> = match name.as_str() {
                "thing-id" => filter.values().to_vec(),
                // The stack has things besides those asked for.
                _ => (0..count + 5)
                    .filter(|number| !untagged.contains(number))
                    .map(|number| format!("t-{number}"))
                    .collect(),
            };
            calls.lock().unwrap().push((name, filter.values().len()));
            async { Ok(found) }
        };
        let found = many(&cx, ASK, ids, describe, |it: &String| Some(it)).await.unwrap();
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
        (calls.into_inner().unwrap(), found.len())
    }

    #[tokio::test]
    async fn few_are_asked_for_by_id() {
        assert_eq!(ask(0, &[]).await, (vec![], 0));
        assert_eq!(ask(1, &[]).await, (vec![("thing-id".to_owned(), 1)], 1));
        assert_eq!(ask(200, &[]).await, (vec![("thing-id".to_owned(), 200)], 200));
    }

    #[tokio::test]
    async fn many_are_asked_for_by_their_stack() {
        let by_stack = ("tag:reconcile:stack".to_owned(), 1);
        assert_eq!(ask(1000, &[]).await, (vec![by_stack.clone()], 1000));
        let rest = ("thing-id".to_owned(), 2);
        assert_eq!(ask(1000, &[7, 900]).await, (vec![by_stack, rest], 1000));
    }
}
