//! Terraform's documented results.

use serde_json::json;

use crate::functions::tests::{errors, results};

#[test]
fn documented() {
    let sha512 = "309ecc489c12d6eb4cc40f50c902f2b4d0ed77ee511a7c7a9bcd3ca86d4cd86f989dd35bc5ff499670da34255b45b0cfd830e81f605dcf7dc5542e93ae9cd76f";
    results(&[
        ("md5", json!(["hello world"]), json!("5eb63bbbe01eeed093cb22bb8f5acdc3")),
        ("sha1", json!(["hello world"]), json!("2aae6c35c94fcfb415dbe95f408b9ce91ee846ed")),
        (
            "sha256",
            json!(["hello world"]),
            json!("b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"),
        ),
        ("sha512", json!(["hello world"]), json!(sha512)),
        (
            "base64sha256",
            json!(["hello world"]),
            json!("uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="),
        ),
        (
            "base64sha512",
            json!(["hello world"]),
            json!(
                "MJ7MSJwS1utMxA9QyQLytNDtd+5RGnx6m808qG1M2G+YndNbxf9JlnDaNCVbRbDP2DDoH2Bdz33FVC6TrpzXbw=="
            ),
        ),
        (
            "uuidv5",
            json!(["dns", "www.terraform.io"]),
            json!("a5008fae-b28c-5ba5-96cd-82b4c53552d6"),
        ),
        (
            "uuidv5",
            json!(["url", "https://www.terraform.io/"]),
            json!("9db6f67c-dd95-5ea0-aa5b-e70e5c5f7cf5"),
        ),
        ("uuidv5", json!(["oid", "1.3.6.1.4"]), json!("af9d40a5-7a36-5c07-b23a-851cd99fbfa5")),
        (
            "uuidv5",
            json!(["x500", "CN=Example,C=GB"]),
            json!("84e09961-4aa4-57f8-95b7-03edb1073253"),
        ),
        (
            "uuidv5",
            json!(["6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.terraform.io"]),
            json!("a5008fae-b28c-5ba5-96cd-82b4c53552d6"),
        ),
    ]);
    errors(&[(
        "uuidv5",
        json!(["x", "y"]),
        "`namespace` must be `dns`, `url`, `oid`, `x500`, or a UUID: got \"x\"",
    )]);
}

#[test]
fn files_hash_as_their_content() {
    let text = json!(["Hello World"]);
    for name in ["md5", "sha1", "sha256", "sha512", "base64sha256", "base64sha512"] {
        let of_file = match name.strip_prefix("base64") {
            Some(rest) => format!("filebase64{rest}"),
            None => format!("file{name}"),
        };
        let args: Vec<_> =
            text.as_array().unwrap().iter().map(reconcile_model::Value::from_json).collect();
        let of_text = crate::functions::tests::call(name, &args).unwrap().to_json();
        results(&[(of_file.as_str(), json!(["hello.txt"]), of_text)]);
        errors(&[(
            of_file.as_str(),
            json!(["none"]),
            "`path` names a file that cannot be read: no file `none`",
        )]);
    }
}
