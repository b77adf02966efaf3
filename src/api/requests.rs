//! Decide calls as NATS requests: the same body, the same answer.

use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt};

use crate::api::Api;
use crate::api::decide::answer;
use crate::stream::Request;

/// Requests that are being answered, at most; others wait in the subscription.
const IN_FLIGHT_MAX: usize = 1_024;

/// Answers requests until `shutdown`, then finishes those that were taken.
pub async fn serve(
    api: Arc<Api>,
    requests: impl Stream<Item = Request>,
    shutdown: impl Future<Output = ()>,
) {
    requests
        .take_until(shutdown)
        .for_each_concurrent(IN_FLIGHT_MAX, |request| reply(&api, request))
        .await;
}

async fn reply(api: &Api, request: Request) {
    match answer(api, &request.payload).await {
        Ok(answer) => request.reply(answer.into(), None).await,
        Err(problem) => {
            let failure = Some((problem.status(), problem.title()));
            request.reply(Bytes::from(problem.to_json()), failure).await;
        }
    }
}
