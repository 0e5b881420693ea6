//! `aws_lb_listener`: a port that a load balancer listens on.
//!
//! # Remote API
//!
//! | verb   | calls                                                                              |
//! |--------|------------------------------------------------------------------------------------|
//! | create | `DescribeListeners` of the load balancer, `CreateListener`, `DescribeTags`         |
//! | read   | `DescribeListeners`, `DescribeTags`; `DescribeListenerAttributes` where they matter |
//! | update | `ModifyListener`, `ModifyListenerAttributes`, `AddTags`, `RemoveTags`              |
//! | delete | `DeleteListener`                                                                   |
//!
//! # Oddities
//!
//! - Creating one on a port that is taken succeeds if the settings are the same, and answers with the other one.
//! - Describing several by ARN fails as a whole if one is gone; then those of each load balancer are listed.
//! - `ModifyListener` from HTTPS to HTTP drops certificate and security policy by itself, and wants neither sent.

mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_elasticloadbalancingv2::operation::create_listener::builders::CreateListenerInputBuilder;
use aws_sdk_elasticloadbalancingv2::operation::modify_listener::builders::ModifyListenerInputBuilder;
use aws_sdk_elasticloadbalancingv2::types::{
    AdvertiseTrustStoreCaNamesEnum, Certificate, Listener, ListenerAttribute,
    MutualAuthenticationAttributes, ProtocolEnum,
};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use reconcile_model::{Object, ObjectId, Schema, tags::Ownership};
use reconcile_provider::{
    Created, Depth, ErrorKind, Found, Notes, Observed, Operation, ProviderError, ResourceType,
    Status, Target, Update,
};

use super::lookup::{self, ARNS, AT_ONCE, GONE, PAGE};
use super::{action, settings};
use crate::Aws;
use crate::call::{Call, Class};
use crate::tags;
use schema::{SCHEMA, SETTINGS};

const CREATE: Call = Call::mutate("CreateListener").class(Class::ElbMutate);
const DESCRIBE: Call = Call::read("DescribeListeners").class(Class::ElbRead).gone(GONE);
const DESCRIBE_ATTRIBUTES: Call =
    Call::read("DescribeListenerAttributes").class(Class::ElbRead).gone(GONE);
const MODIFY: Call =
    Call::mutate("ModifyListener").class(Class::ElbMutate).gone(&["ListenerNotFound"]);
const MODIFY_ATTRIBUTES: Call =
    Call::mutate("ModifyListenerAttributes").class(Class::ElbMutate).gone(GONE);
const DELETE: Call = Call::mutate("DeleteListener").class(Class::ElbMutate).gone(GONE);

/// How often, and how long apart, a port is asked for that another listener has.
const PORT_TRIES: usize = 6;
const PORT_DELAY: Duration = Duration::from_millis(500);

/// The `aws_lb_listener` resource type.
#[derive(Debug)]
pub struct LbListener;

#[async_trait]
impl ResourceType<Aws> for LbListener {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn create(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        match self.find(cx, operation, planned).await? {
            Found::Ours(id) => return Ok(Created::new(id)),
            Found::Foreign { id, description } => {
                return Err(lookup::exists(CREATE, &id, &description));
            }
            Found::Nothing => {}
        }
        let input = create_input(operation, planned);
        let output = cx
            .elbv2(CREATE, |elb| {
                let (elb, input) = (elb.clone(), input.clone());
                async move { input.send_with(&elb).await }
            })
            .await?;
        let arn = output.listeners().first().and_then(Listener::listener_arn);
        let arn = arn.ok_or_else(|| {
            ProviderError::new(ErrorKind::Failed, CREATE.name, "the answer names no listener")
        })?;
        // Someone may have been faster since the port was looked up.
        match lookup::owner(cx, operation, arn, description(planned)).await? {
            Found::Foreign { id, description } => Err(lookup::exists(CREATE, &id, &description)),
            Found::Ours(_) | Found::Nothing => Ok(Created::new(arn)),
        }
    }

    async fn read(
        &self,
        cx: &Aws,
        targets: &[Target<'_>],
        depth: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        let arns: Vec<String> = targets.iter().map(|target| target.id.0.clone()).collect();
        let mut found: BTreeMap<String, Listener> = describe(cx, &arns)
            .await?
            .into_iter()
            .filter_map(|it| Some((it.listener_arn()?.to_owned(), it)))
            .collect();
        found.retain(|arn, _| arns.contains(arn));
        if depth == Depth::Status {
            let observed = |arn: String| (ObjectId(arn), Observed::ready(Object::new()));
            return Ok(found.into_keys().map(observed).collect());
        }
        let present = targets.iter().filter(|target| found.contains_key(target.id.as_str()));
        let arns: Vec<String> = present.clone().map(|target| target.id.0.clone()).collect();
        let with_settings = present.clone().filter(|target| settings::matter(SETTINGS, target));
        let with_settings = with_settings.map(|target| target.id.0.clone()).collect();
        let (mut tags, told) = futures::try_join!(
            lookup::tags_of(cx, &arns),
            lookup::each(with_settings, |arn| settings_of(cx, arn)),
        )?;
        let mut all = BTreeMap::new();
        for target in present {
            let arn = target.id.as_str();
            // Without tags it was deleted between the calls.
            let (Some(listener), Some(tags)) = (found.get(arn), tags.remove(arn)) else { continue };
            let mut object = object(listener, target.recorded);
            if let Some(told) = told.get(arn) {
                settings::set(SETTINGS, told, target, &mut object);
            }
            tags::set(&mut object, &tags);
            let ownership = Ownership::of(&tags);
            let observed = Observed { object, status: Status::Ready, ownership };
            all.insert(target.id.clone(), observed);
        }
        Ok(all)
    }

    async fn update(&self, cx: &Aws, update: &Update<'_>) -> Result<Notes, ProviderError> {
        if let Some(input) = modify_input(update) {
            modify(cx, &input).await?;
        }
        let pairs = settings::changes(SETTINGS, update.live, update.planned);
        if !pairs.is_empty() {
            let arn = update.id.as_str();
            let pair = |(key, value)| ListenerAttribute::builder().key(key).value(value).build();
            let attributes: Vec<ListenerAttribute> = pairs.into_iter().map(pair).collect();
            cx.elbv2(MODIFY_ATTRIBUTES, |elb| {
                elb.modify_listener_attributes()
                    .listener_arn(arn)
                    .set_attributes(Some(attributes.clone()))
                    .send()
            })
            .await?;
        }
        tags::update_elbv2(cx, &SCHEMA, update).await?;
        Ok(Notes::new())
    }

    async fn delete(
        &self,
        cx: &Aws,
        _operation: &Operation,
        id: &ObjectId,
        _recorded: &Object,
    ) -> Result<Notes, ProviderError> {
        let arn = id.as_str();
        let deleted = cx.elbv2(DELETE, |elb| elb.delete_listener().listener_arn(arn).send()).await;
        match deleted {
            Ok(_) => Ok(Notes::new()),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Notes::new()),
            Err(error) => Err(error.about(id)),
        }
    }

    async fn find(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Found, ProviderError> {
        let balancer = planned.str("load_balancer_arn").unwrap_or_default();
        let all = of_load_balancer(cx, balancer).await?;
        let port = planned.i32("port");
        let arn = all.iter().find(|it| it.port() == port).and_then(Listener::listener_arn);
        match arn {
            Some(arn) => lookup::owner(cx, operation, arn, description(planned)).await,
            None => Ok(Found::Nothing),
        }
    }
}

/// Modifies a listener. The port that it is to have may be one that another listener leaves in the same run.
async fn modify(cx: &Aws, input: &ModifyListenerInputBuilder) -> Result<(), ProviderError> {
    let mut tries = 1;
    loop {
        let answer = cx
            .elbv2(MODIFY, |elb| {
                let (elb, input) = (elb.clone(), input.clone());
                async move { input.send_with(&elb).await }
            })
            .await;
        match answer {
            Ok(_) => return Ok(()),
            Err(error) if error.kind == ErrorKind::AlreadyExists && tries < PORT_TRIES => {
                tokio::time::sleep(PORT_DELAY).await;
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

fn description(planned: &Object) -> String {
    match planned.i64("port") {
        Some(port) => format!("a listener on port {port} of the load balancer exists already"),
        None => "a listener of the load balancer exists already".to_owned(),
    }
}

/// Returns those of the listeners that exist, and possibly others.
async fn describe(cx: &Aws, arns: &[String]) -> Result<Vec<Listener>, ProviderError> {
    // Those of a few load balancers are fewer calls than so many by their ARNs.
    let balancers: BTreeSet<String> = arns.iter().filter_map(|arn| balancer_of(arn)).collect();
    if balancers.len() < arns.len().div_ceil(ARNS) {
        return of_load_balancers(cx, balancers).await;
    }
    let chunks: Vec<Vec<String>> = arns.chunks(ARNS).map(<[String]>::to_vec).collect();
    let answers: Vec<Vec<Listener>> = stream::iter(chunks)
        .map(|chunk| describe_chunk(cx, chunk))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(answers.into_iter().flatten().collect())
}

async fn describe_chunk(cx: &Aws, arns: Vec<String>) -> Result<Vec<Listener>, ProviderError> {
    let answer = cx
        .elbv2(DESCRIBE, |elb| {
            elb.describe_listeners().set_listener_arns(Some(arns.clone())).send()
        })
        .await;
    match answer {
        Ok(output) => return Ok(output.listeners.unwrap_or_default()),
        Err(error) if error.kind == ErrorKind::NotFound && arns.len() == 1 => {
            return Ok(Vec::new());
        }
        Err(error) if error.kind == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    of_load_balancers(cx, arns.iter().filter_map(|arn| balancer_of(arn)).collect()).await
}

async fn of_load_balancers(
    cx: &Aws,
    balancers: BTreeSet<String>,
) -> Result<Vec<Listener>, ProviderError> {
    let answers: Vec<Vec<Listener>> = stream::iter(balancers)
        .map(|balancer| async move { of_load_balancer(cx, &balancer).await })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(answers.into_iter().flatten().collect())
}

/// Returns the listeners of a load balancer; none when it is gone.
async fn of_load_balancer(cx: &Aws, balancer: &str) -> Result<Vec<Listener>, ProviderError> {
    let mut all = Vec::new();
    let mut marker = None;
    loop {
        let answer = cx
            .elbv2(DESCRIBE, |elb| {
                elb.describe_listeners()
                    .load_balancer_arn(balancer)
                    .page_size(PAGE)
                    .set_marker(marker.clone())
                    .send()
            })
            .await;
        let output = match answer {
            Ok(output) => output,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        all.extend(output.listeners.unwrap_or_default());
        marker = output.next_marker.filter(|marker| !marker.is_empty());
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// Returns the ARN of a listener's load balancer, which is in its own:
/// `…:listener/app/web/50dc6c49/f2f7dc8e` is one of `…:loadbalancer/app/web/50dc6c49`.
fn balancer_of(arn: &str) -> Option<String> {
    let (prefix, path) = arn.split_once(":listener/")?;
    let (balancer, _) = path.rsplit_once('/')?;
    Some(format!("{prefix}:loadbalancer/{balancer}"))
}

/// Reads the settings of a listener.
async fn settings_of(cx: &Aws, arn: String) -> Result<settings::Pairs, ProviderError> {
    let output = cx
        .elbv2(DESCRIBE_ATTRIBUTES, |elb| {
            elb.describe_listener_attributes().listener_arn(&arn).send()
        })
        .await?;
    let pair = |it: ListenerAttribute| Some((it.key?, it.value.unwrap_or_default()));
    Ok(output.attributes.unwrap_or_default().into_iter().filter_map(pair).collect())
}

fn create_input(operation: &Operation, planned: &Object) -> CreateListenerInputBuilder {
    CreateListenerInputBuilder::default()
        .set_load_balancer_arn(planned.string("load_balancer_arn"))
        .set_port(planned.i32("port"))
        .set_protocol(protocol(planned))
        .set_ssl_policy(planned.string("ssl_policy"))
        .set_certificates(certificates(planned))
        .set_default_actions(Some(action::to_elbv2(planned, "default_action")))
        .set_alpn_policy(planned.string("alpn_policy").map(|policy| vec![policy]))
        .set_mutual_authentication(mutual_authentication(planned))
        .set_tags(Some(tags::elbv2_create(operation, planned)))
}

/// Returns the request that makes the listener what is planned, if it is not that yet.
fn modify_input(update: &Update<'_>) -> Option<ModifyListenerInputBuilder> {
    let Update { live, planned, .. } = *update;
    let changes = |name: &str| update.changes(&SCHEMA, name);
    let actions = action::to_elbv2(planned, "default_action");
    let mutual = mutual_authentication(planned);
    let mutual_changes = mutual.is_some() && mutual != mutual_authentication(live);
    let names = ["port", "protocol", "certificate_arn", "ssl_policy", "alpn_policy"];
    if !names.iter().any(|name| changes(name))
        && !mutual_changes
        && actions == action::to_elbv2(live, "default_action")
    {
        return None;
    }
    // Taken out of the spec, the policy has to be said to be none.
    let alpn = match planned.string("alpn_policy") {
        None if changes("alpn_policy") => Some("None".to_owned()),
        policy => policy,
    };
    let input = ModifyListenerInputBuilder::default()
        .listener_arn(update.id.as_str())
        .set_port(planned.i32("port"))
        .set_protocol(protocol(planned))
        .set_ssl_policy(planned.string("ssl_policy"))
        .set_certificates(certificates(planned))
        .set_default_actions(Some(actions))
        .set_alpn_policy(alpn.map(|policy| vec![policy]))
        .set_mutual_authentication(mutual);
    Some(input)
}

/// Returns the protocol; HTTP where it is left open and only an application load balancer leaves it open.
fn protocol(planned: &Object) -> Option<ProtocolEnum> {
    let balancer = planned.str("load_balancer_arn").unwrap_or_default();
    let default = balancer.contains(":loadbalancer/app/").then_some("HTTP");
    planned.str("protocol").or(default).map(ProtocolEnum::from)
}

fn certificates(planned: &Object) -> Option<Vec<Certificate>> {
    let arn = planned.str("certificate_arn")?;
    Some(vec![Certificate::builder().certificate_arn(arn).build()])
}

fn mutual_authentication(planned: &Object) -> Option<MutualAuthenticationAttributes> {
    let block = planned.block("mutual_authentication")?;
    let mode = block.str("mode")?;
    let mut attributes = MutualAuthenticationAttributes::builder().mode(mode);
    if mode == "verify" {
        let advertise = block.str("advertise_trust_store_ca_names");
        attributes = attributes
            .set_trust_store_arn(block.string("trust_store_arn"))
            .set_ignore_client_certificate_expiry(block.bool("ignore_client_certificate_expiry"))
            .set_advertise_trust_store_ca_names(
                advertise.map(AdvertiseTrustStoreCaNamesEnum::from),
            );
    }
    Some(attributes.build())
}

/// Returns what `DescribeListeners` tells of a listener.
fn object(listener: &Listener, recorded: &Object) -> Object {
    let arn = listener.listener_arn();
    let certificate = listener.certificates().first().and_then(Certificate::certificate_arn);
    let mutual = listener.mutual_authentication().map(|it| {
        let advertise = it.advertise_trust_store_ca_names();
        Object::new()
            .with("mode", it.mode())
            .with("trust_store_arn", it.trust_store_arn())
            .with(
                "ignore_client_certificate_expiry",
                it.ignore_client_certificate_expiry().unwrap_or(false),
            )
            .with(
                "advertise_trust_store_ca_names",
                advertise.map(AdvertiseTrustStoreCaNamesEnum::as_str),
            )
    });
    let actions = action::from_elbv2(listener.default_actions(), recorded, "default_action");
    Object::new()
        .with("id", arn)
        .with("arn", arn)
        .with("load_balancer_arn", listener.load_balancer_arn())
        .with("port", listener.port())
        .with("protocol", listener.protocol().map(ProtocolEnum::as_str))
        .with("default_action", actions)
        .with("certificate_arn", certificate)
        .with("ssl_policy", listener.ssl_policy())
        .with("alpn_policy", listener.alpn_policy().first().map(String::as_str))
        .with("mutual_authentication", mutual.into_iter().collect::<Vec<Object>>())
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum};
    use reconcile_model::{Address, Value, normalize::canonical_value};

    use super::*;

    const ARN: &str = "arn:aws:elasticloadbalancing:ap-northeast-2:1:listener/app/web/50dc/f2f7";
    const BALANCER: &str =
        "arn:aws:elasticloadbalancing:ap-northeast-2:1:loadbalancer/app/web/50dc";

    fn operation() -> Operation {
        Operation {
            id: "0192f3c45b6d7e8f".to_owned(),
            stack: "lab-web".to_owned(),
            address: Address::managed("aws_lb_listener", "http"),
        }
    }

    fn planned() -> Object {
        let action = Object::new()
            .with("type", "forward")
            .with("order", Value::Unknown)
            .with("target_group_arn", "tg-1");
        Object::new()
            .with("load_balancer_arn", BALANCER)
            .with("port", 80)
            .with("protocol", Value::Unknown)
            .with("ssl_policy", Value::Unknown)
            .with("mutual_authentication", Value::Unknown)
            .with("default_action", vec![action])
    }

    fn live() -> Object {
        let action =
            Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn("tg-1").build();
        let listener = Listener::builder()
            .listener_arn(ARN)
            .load_balancer_arn(BALANCER)
            .port(80)
            .protocol(ProtocolEnum::Http)
            .default_actions(action)
            .build();
        object(&listener, &planned())
    }

    fn modified(planned: &Object) -> Option<ModifyListenerInputBuilder> {
        let (operation, id, live) = (operation(), ObjectId::from(ARN), live());
        modify_input(&Update {
            operation: &operation,
            id: &id,
            live: &live,
            planned,
            restart: false,
        })
    }

    #[test]
    fn an_application_listener_speaks_http_unless_told_otherwise() {
        let input = create_input(&operation(), &planned()).build().unwrap();
        assert_eq!((input.port(), input.protocol()), (Some(80), Some(&ProtocolEnum::Http)));
        assert_eq!((input.ssl_policy(), input.certificates().len()), (None, 0));
        let network = BALANCER.replace("/app/", "/net/");
        let input = create_input(&operation(), &planned().with("load_balancer_arn", network));
        assert_eq!(input.build().unwrap().protocol(), None);
    }

    #[test]
    fn what_was_created_needs_no_modification() {
        let (live, planned) = (live(), planned());
        for name in ["load_balancer_arn", "port", "certificate_arn", "alpn_policy"] {
            let attribute = SCHEMA.attribute(name).unwrap();
            assert_eq!(
                canonical_value(attribute, live.value(name)),
                canonical_value(attribute, planned.value(name)),
                "{name}"
            );
        }
        assert!(modified(&planned).is_none());
    }

    #[test]
    fn what_differs_is_modified() {
        let input = modified(&planned().with("port", 8080)).unwrap();
        assert_eq!(input.get_port(), &Some(8080));
        let https = planned().with("protocol", "HTTPS").with("certificate_arn", "cert-1");
        let input = modified(&https).unwrap();
        assert_eq!(input.get_certificates().as_ref().map(Vec::len), Some(1));
        let action = Object::new().with("type", "forward").with("target_group_arn", "tg-2");
        assert!(modified(&planned().with("default_action", vec![action])).is_some());
    }

    #[test]
    fn a_listener_names_its_load_balancer() {
        assert_eq!(balancer_of(ARN).as_deref(), Some(BALANCER));
        assert_eq!(balancer_of("nonsense"), None);
    }
}
