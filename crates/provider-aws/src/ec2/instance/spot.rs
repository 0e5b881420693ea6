//! Spot instances: how the capacity is bought, and the request that stays after the instance.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    Instance, InstanceInterruptionBehavior, InstanceMarketOptionsRequest, MarketType,
    SpotInstanceRequest, SpotInstanceType, SpotMarketOptions,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use reconcile_model::{Object, Value};
use reconcile_provider::ProviderError;

use crate::Aws;
use crate::call::Call;
use crate::filters;

const DESCRIBE_SPOT_INSTANCE_REQUESTS: Call = Call::read("DescribeSpotInstanceRequests");
const CANCEL_SPOT_INSTANCE_REQUESTS: Call =
    Call::mutate("CancelSpotInstanceRequests").gone(&["InvalidSpotInstanceRequestID.NotFound"]);

/// Returns how the capacity is bought, as `RunInstances` takes it.
pub(super) fn market(block: &Object) -> InstanceMarketOptionsRequest {
    let spot = block.block("spot_options").map(|spot| {
        SpotMarketOptions::builder()
            .set_max_price(spot.string("max_price"))
            .set_spot_instance_type(spot.str("spot_instance_type").map(SpotInstanceType::from))
            .set_valid_until(spot.str("valid_until").and_then(parse))
            .set_instance_interruption_behavior(
                spot.str("instance_interruption_behavior").map(InstanceInterruptionBehavior::from),
            )
            .build()
    });
    InstanceMarketOptionsRequest::builder()
        .set_market_type(block.str("market_type").map(MarketType::from))
        .set_spot_options(spot)
        .build()
}

/// Returns the Spot requests of those of the instances that have one, by id.
pub(super) async fn requests(
    cx: &Aws,
    instances: &[&Instance],
) -> Result<BTreeMap<String, SpotInstanceRequest>, ProviderError> {
    let ids: Vec<&str> =
        instances.iter().filter_map(|instance| instance.spot_instance_request_id()).collect();
    let mut found = BTreeMap::new();
    let mut token = None;
    while !ids.is_empty() {
        let filter = filters::exactly("spot-instance-request-id", &ids);
        let page = cx
            .ec2(DESCRIBE_SPOT_INSTANCE_REQUESTS, |ec2| {
                ec2.describe_spot_instance_requests()
                    .filters(filter.clone())
                    .max_results(1000)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        for request in page.spot_instance_requests.unwrap_or_default() {
            found
                .insert(request.spot_instance_request_id().unwrap_or_default().to_owned(), request);
        }
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    Ok(found)
}

/// Returns `instance_market_options` of an instance; none when it was bought on demand.
pub(super) fn market_options(instance: &Instance, request: Option<&SpotInstanceRequest>) -> Value {
    let lifecycle = instance.instance_lifecycle().map_or("", |it| it.as_str());
    let market_type = match lifecycle {
        "spot" | "capacity-block" => lifecycle,
        _ => return Value::List(Vec::new()),
    };
    let spot_options = request.map(|request| {
        let until = request.valid_until().and_then(|time| time.fmt(Format::DateTime).ok());
        Object::new()
            .with(
                "instance_interruption_behavior",
                request.instance_interruption_behavior().map(|it| it.as_str()),
            )
            .with("max_price", request.spot_price())
            .with("spot_instance_type", request.r#type().map(SpotInstanceType::as_str))
            .with("valid_until", until)
    });
    let spot_options: Vec<Object> = spot_options.into_iter().collect();
    vec![Object::new().with("market_type", market_type).with("spot_options", spot_options)].into()
}

/// Cancels a Spot request, so that a persistent one does not start another instance.
pub(super) async fn cancel(cx: &Aws, request: &str) -> Result<(), ProviderError> {
    let cancelled = cx
        .ec2(CANCEL_SPOT_INSTANCE_REQUESTS, |ec2| {
            ec2.cancel_spot_instance_requests().spot_instance_request_ids(request).send()
        })
        .await;
    match cancelled {
        Ok(_) => Ok(()),
        Err(error) if error.kind == reconcile_provider::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Brings a price to its shortest form: EC2 answers `0.030000` where `0.03` was asked.
pub(super) fn price(value: &Value) -> Value {
    match value.as_str().and_then(|text| text.parse::<f64>().ok()) {
        Some(number) => number.to_string().into(),
        None => value.clone(),
    }
}

/// Brings a time to the form in which EC2 answers.
pub(super) fn time(value: &Value) -> Value {
    match value.as_str().and_then(parse).and_then(|time| time.fmt(Format::DateTime).ok()) {
        Some(text) => text.into(),
        None => value.clone(),
    }
}

fn parse(text: &str) -> Option<DateTime> {
    DateTime::from_str(text, Format::DateTimeWithOffset).ok()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::InstanceLifecycleType;

    use super::*;

    #[test]
    fn prices_and_times_compare_by_what_they_mean() {
        assert_eq!(price(&"0.030000".into()), Value::from("0.03"));
        assert_eq!(price(&"a lot".into()), Value::from("a lot"));
        assert_eq!(time(&"2027-01-01T09:00:00+09:00".into()), Value::from("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn what_is_bought_on_demand_has_no_market_options() {
        assert_eq!(market_options(&Instance::builder().build(), None), Value::List(Vec::new()));
        let spot = Instance::builder().instance_lifecycle(InstanceLifecycleType::Spot).build();
        let request = SpotInstanceRequest::builder().spot_price("0.030000").build();
        let options = market_options(&spot, Some(&request));
        let block = options.as_list().unwrap()[0].as_map().unwrap();
        assert_eq!(block.str("market_type"), Some("spot"));
        assert_eq!(block.block("spot_options").unwrap().str("max_price"), Some("0.030000"));
        let back = market(block);
        assert_eq!(back.spot_options().unwrap().max_price(), Some("0.030000"));
    }
}
