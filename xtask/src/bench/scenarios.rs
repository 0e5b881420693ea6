//! What is measured, one scenario after the other.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use super::BenchArgs;
use super::report::Report;
use super::user::{Bench, count};

const APPLY: &[&str] = &["apply", "--auto-approve"];
const PLAN: &[&str] = &["plan", "--detailed-exitcode"];
const DESTROY: &[&str] = &["destroy", "--auto-approve"];

/// What Terraform 1.11 with its AWS provider 5.100 took on one machine of two cores, on moto: 251 objects.
const TERRAFORM_PLAN_CALLS: f64 = 1607.0;
const TERRAFORM_PLAN_SECONDS: f64 = 13.5;
const TERRAFORM_PLAN_MIB: f64 = 590.0;

/// What it costs to begin.
pub(crate) fn start_up(bench: &Bench<'_>, _: &BenchArgs, report: &mut Report) -> Result<()> {
    let user = bench.user("start-up", &bench.root.join("specs/lab-web"))?;
    let version = user.runs_often(30, &["--version"])?;
    let validate = user.runs_often(30, &["validate"])?;
    let plan = user.runs_often(9, &["plan"])?;
    let size = std::fs::metadata(&bench.binary)?.len();
    report.section(
        "Start-up",
        "Medians; lab-web is `specs/lab-web`. Nothing but `plan` makes a call.",
    );
    report.targets();
    report.target("`--version`", version.seconds * 1e3, 5.0, " ms");
    report.target("`validate` of lab-web", validate.seconds * 1e3, 30.0, " ms");
    report.target("first plan of lab-web, its own processor time", plan.cpu * 1e3, 50.0, " ms");
    report.says(&format!("The binary has {} MiB.", size / 1024 / 1024));
    Ok(())
}

/// The stack that Terraform was measured with, as near as there are types for it.
pub(crate) fn stack_251(bench: &Bench<'_>, _: &BenchArgs, report: &mut Report) -> Result<()> {
    let user = bench.user("stack-251", &bench.root.join("tests/calls/stack-251.yaml"))?;
    let apply = user.runs(APPLY)?;
    let apply_calls = user.calls()?;
    let plan = user.runs_often(5, PLAN)?;
    user.forgets_calls()?;
    user.runs(PLAN)?;
    let plan_calls = user.calls()?;
    user.forgets_calls()?;
    let destroy = user.runs(DESTROY)?;
    let destroy_calls = user.calls()?;
    report.section(
        "251 resources",
        "150 instances, 50 security groups, 50 volumes, and a key pair; the stack that Terraform was measured with \
         has a VPC and 50 subnets instead of the key pair and the volumes, for which there are no types yet. Rate limits \
         are scaled out of the way, as the emulator has none here and Terraform keeps to none.",
    );
    report.targets();
    let (calls, seconds) = (count(&plan_calls["total"]) as f64, plan.seconds);
    report.target("plan without changes, calls", calls, 12.0, "");
    report.target("plan without changes", seconds, TERRAFORM_PLAN_SECONDS / 20.0, " s");
    report.target("plan without changes, peak memory", plan.mib, TERRAFORM_PLAN_MIB / 10.0, " MiB");
    report.target("apply, calls", count(&apply_calls["total"]) as f64, 700.0, "");
    report.target("apply, peak memory", apply.mib, TERRAFORM_PLAN_MIB / 10.0, " MiB");
    report.says(&format!(
        "Apply took {:.1} s, destroy {:.1} s and {} calls. Terraform's figures are those measured for this project \
         beforehand, on the same kind of machine and moto: plan {TERRAFORM_PLAN_CALLS} calls, \
         {TERRAFORM_PLAN_SECONDS} s, {TERRAFORM_PLAN_MIB} MB; apply 2,409 calls, 166 s. A plan here makes {:.0} times \
         fewer calls and takes {:.0} times less time.",
        apply.seconds,
        destroy.seconds,
        count(&destroy_calls["total"]),
        TERRAFORM_PLAN_CALLS / calls,
        TERRAFORM_PLAN_SECONDS / seconds,
    ));
    Ok(())
}

/// A plan of many instances, with the round trips of a real Region.
pub(crate) fn latency(bench: &Bench<'_>, _: &BenchArgs, report: &mut Report) -> Result<()> {
    const LATENCY: f64 = 0.04;
    let user = bench.user("latency", &bench.root.join("tests/calls/aws_instance.yaml"))?;
    let with = |command: &'static [&'static str]| [command, &["--var", "n=1000"]].concat();
    user.runs(&[&with(APPLY)[..], &["--parallelism", "64"]].concat())?;
    let near = user.runs_often(5, &with(PLAN))?;
    user.sets(&json!({ "latency_seconds": LATENCY }))?;
    let far = user.runs_often(5, &with(PLAN))?;
    user.forgets_calls()?;
    user.runs(&with(PLAN))?;
    let calls = count(&user.calls()?["total"]);
    user.sets(&json!({ "latency_seconds": 0 }))?;
    user.runs(&with(DESTROY))?;
    report.section(
        "1,000 instances, 40 ms away",
        "A plan without changes. Waiting is what the 40 ms add to each call make it longer.",
    );
    report.targets();
    report.target("calls", calls as f64, 20.0, "");
    report.target("waiting", (far.seconds - near.seconds).max(0.0), 2.0, " s");
    report.says(&format!(
        "In all it takes {:.2} s, {:.2} s of them this program's own processor time; most of the rest is the emulator \
         writing a thousand instances.",
        far.seconds, far.cpu
    ));
    Ok(())
}

/// The tutorial's stack, where states take their time.
pub(crate) fn lab_web(bench: &Bench<'_>, _: &BenchArgs, report: &mut Report) -> Result<()> {
    let user = bench.user("lab-web", &bench.root.join("specs/lab-web"))?;
    user.sets(&json!({ "durations": 2 }))?;
    let settings = user.settings()?;
    let seconds = |name: &str| {
        settings[name].as_f64().with_context(|| format!("the emulator has no setting `{name}`"))
    };
    // The first server, its image, the second server from that; the load balancer comes up meanwhile.
    let path = seconds("instance_pending")? * 2.0
        + seconds("image_pending")?.max(seconds("snapshot_pending")?);
    let path = path.max(seconds("load_balancer_provisioning")?);
    // The emulator's load balancers answer no request: the check of the page is not waited for.
    let apply = user.runs(&["apply", "--auto-approve", "--var", "check_attempts=1"])?;
    let calls = count(&user.calls()?["total"]);
    user.runs(DESTROY)?;
    report.section(
        "lab-web, with states that take 2 s",
        &format!(
            "The critical path is the first server, its image, and the second server made from that: {path:.0} s of \
             waiting for AWS. Terraform takes 74 s for this stack, nearly all of it in fixed sleeps."
        ),
    );
    report.targets();
    report.target("apply", apply.seconds, path * 1.3, " s");
    report.says(&format!("It made {calls} calls."));
    Ok(())
}

/// Many instances, where AWS's rate limits are enforced.
pub(crate) fn rate_limits(bench: &Bench<'_>, args: &BenchArgs, report: &mut Report) -> Result<()> {
    let scale = f64::from(args.throttle_scale);
    let user = bench.user("rate-limits", &bench.root.join("tests/calls/aws_instance.yaml"))?;
    let multiplier = format!("rate_limit_multiplier: {}", args.throttle_scale);
    user.edits("rate_limit_multiplier: 1000", &multiplier)?;
    user.sets(&json!({ "throttle": true, "throttle_scale": args.throttle_scale }))?;
    let apply = user.runs(&["apply", "--auto-approve", "--var", "n=1000"])?;
    let calls = user.calls()?;
    // `RunInstances`: a burst of 5, then 2 a second.
    let floor = (1000.0 - 5.0 * scale) / (2.0 * scale);
    let (total, throttled) = (count(&calls["total"]) as f64, count(&calls["throttled"]) as f64);
    user.sets(&json!({ "throttle": false }))?;
    user.edits(&multiplier, "rate_limit_multiplier: 1000")?;
    user.runs(&["destroy", "--auto-approve", "--var", "n=1000"])?;
    report.section(
        "1,000 instances, within AWS's rate limits",
        &format!(
            "The emulator enforces AWS's published buckets, scaled by {scale}, and the spec says \
             `rate_limit_multiplier: {scale}`. At one call an instance, which its client token asks for, `RunInstances` \
             allows them in {floor:.1} s."
        ),
    );
    report.targets();
    report.target("apply", apply.seconds, floor * 1.2, " s");
    report.target("calls throttled", 100.0 * throttled / total, 1.0, " %");
    report.says(&format!("It made {total} calls, of which {throttled} were throttled."));
    Ok(())
}

/// How many calls each type takes.
pub(crate) fn calls(bench: &Bench<'_>, args: &BenchArgs, report: &mut Report) -> Result<()> {
    report.section(
        "Calls by type",
        "All calls that a stack of so many objects makes, those for what they need included: the stacks are in \
         `tests/calls`. What is created or destroyed at the same time shares polls and, where the API allows it, calls; how \
         much, depends on the machine. Plans always take the same.",
    );
    let heads: Vec<String> = ["create", "plan without changes", "destroy"]
        .iter()
        .flat_map(|verb| args.sizes.iter().map(move |n| format!("{verb}, {n}")))
        .collect();
    let columns: Vec<&str> =
        std::iter::once("type").chain(heads.iter().map(String::as_str)).collect();
    report.table(&columns);
    let mut files: Vec<_> = std::fs::read_dir(bench.root.join("tests/calls"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    for file in files {
        let name = file.file_stem().and_then(|it| it.to_str()).context("files have names")?;
        if name.starts_with("aws_") {
            let counts = calls_of(bench, name, &file, &args.sizes)?;
            let cells = counts.iter().map(u64::to_string);
            report.row(&std::iter::once(format!("`{name}`")).chain(cells).collect::<Vec<_>>());
        }
    }
    Ok(())
}

fn calls_of(bench: &Bench<'_>, name: &str, file: &Path, sizes: &[u32]) -> Result<Vec<u64>> {
    let mut counts = [vec![], vec![], vec![]];
    for n in sizes {
        let user = bench.user(&format!("{name}-{n}"), file)?;
        let size = format!("n={n}");
        for (counts, command) in counts.iter_mut().zip([APPLY, PLAN, DESTROY]) {
            user.forgets_calls()?;
            user.runs(&[command, &["--var", &size]].concat())?;
            counts.push(count(&user.calls()?["total"]));
        }
    }
    Ok(counts.concat())
}

/// Terraform itself, where it is installed together with its AWS provider.
pub(crate) fn terraform(bench: &Bench<'_>, _: &BenchArgs, report: &mut Report) -> Result<()> {
    report.section("Terraform", "The same, measured here and now.");
    let home = std::env::temp_dir().join(format!("reconcile-terraform-{}", std::process::id()));
    std::fs::create_dir_all(&home)?;
    let needs = "terraform { required_providers { aws = { source = \"hashicorp/aws\" } } }\n";
    std::fs::write(home.join("main.tf"), needs)?;
    let mut init = Command::new("terraform");
    init.args(["init", "-input=false", "-no-color"]).current_dir(&home);
    let said = match init.output() {
        Ok(output) if output.status.success() => terraform_plan(bench, &home)?,
        Ok(_) => "`terraform` is installed here and its AWS provider is not, nor can it be had: not measured.".to_owned(),
        Err(_) => "`terraform` is not installed here: not measured.".to_owned(),
    };
    std::fs::remove_dir_all(home)?;
    report.says(&said);
    Ok(())
}

/// Applies and plans 150 instances with Terraform, and tells what its plan took.
fn terraform_plan(bench: &Bench<'_>, home: &Path) -> Result<String> {
    let user = bench.user("terraform", &bench.root.join("tests/calls/stack-251.yaml"))?;
    let spec = "provider \"aws\" {\n  region = \"ap-northeast-2\"\n  skip_credentials_validation = true\n  \
                skip_requesting_account_id = true\n}\n\
                data \"aws_ami\" \"linux\" {\n  owners = [\"amazon\"]\n  most_recent = true\n  \
                filter {\n    name = \"name\"\n    values = [\"al2023-ami-2023*-x86_64\"]\n  }\n}\n\
                resource \"aws_instance\" \"web\" {\n  count = 150\n  ami = data.aws_ami.linux.id\n  \
                instance_type = \"t3.micro\"\n}\n\
                resource \"aws_ebs_volume\" \"data\" {\n  count = 50\n  \
                availability_zone = \"ap-northeast-2a\"\n  size = 8\n}\n\
                resource \"aws_security_group\" \"web\" {\n  count = 50\n  name = \"web-${count.index}\"\n}\n";
    std::fs::write(home.join("stack.tf"), spec)?;
    let terraform = |arguments: &[&str]| {
        user.times(Command::new("terraform").args(arguments).current_dir(home))
    };
    let apply = terraform(&["apply", "-auto-approve", "-input=false", "-no-color"])?;
    user.forgets_calls()?;
    let plan = terraform(&["plan", "-input=false", "-no-color"])?;
    let calls = count(&user.calls()?["total"]);
    terraform(&["destroy", "-auto-approve", "-input=false", "-no-color"])?;
    Ok(format!(
        "250 resources without the key pair: apply {:.1} s; plan without changes {calls} calls, {:.1} s, {:.0} MiB (the \
         provider, a process of its own, not counted).",
        apply.seconds, plan.seconds, plan.mib
    ))
}
