//! Hashes of strings and files, and ids made from names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use uuid::Uuid;

use super::call::{Args, Function, TEXT};
use super::fault::Fault;
use super::file;
use crate::hex;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::whole(
        "base64sha256(string)",
        "The SHA-256 of the string, in Base64.",
        &[TEXT],
        |args| Ok(STANDARD.encode(of_text::<Sha256>(args)).into()),
    ),
    Function::whole(
        "base64sha512(string)",
        "The SHA-512 of the string, in Base64.",
        &[TEXT],
        |args| Ok(STANDARD.encode(of_text::<Sha512>(args)).into()),
    ),
    Function::whole(
        "filebase64sha256(path)",
        "The SHA-256 of the file, in Base64.",
        &[TEXT],
        |args| Ok(STANDARD.encode(of_file::<Sha256>(args)?).into()),
    ),
    Function::whole(
        "filebase64sha512(path)",
        "The SHA-512 of the file, in Base64.",
        &[TEXT],
        |args| Ok(STANDARD.encode(of_file::<Sha512>(args)?).into()),
    ),
    Function::whole("filemd5(path)", "The MD5 of the file, in hexadecimal.", &[TEXT], |args| {
        Ok(hex(&of_file::<Md5>(args)?).into())
    }),
    Function::whole("filesha1(path)", "The SHA-1 of the file, in hexadecimal.", &[TEXT], |args| {
        Ok(hex(&of_file::<Sha1>(args)?).into())
    }),
    Function::whole(
        "filesha256(path)",
        "The SHA-256 of the file, in hexadecimal.",
        &[TEXT],
        |args| Ok(hex(&of_file::<Sha256>(args)?).into()),
    ),
    Function::whole(
        "filesha512(path)",
        "The SHA-512 of the file, in hexadecimal.",
        &[TEXT],
        |args| Ok(hex(&of_file::<Sha512>(args)?).into()),
    ),
    Function::whole("md5(string)", "The MD5 of the string, in hexadecimal.", &[TEXT], |args| {
        Ok(hex(&of_text::<Md5>(args)).into())
    }),
    Function::whole("sha1(string)", "The SHA-1 of the string, in hexadecimal.", &[TEXT], |args| {
        Ok(hex(&of_text::<Sha1>(args)).into())
    }),
    Function::whole(
        "sha256(string)",
        "The SHA-256 of the string, in hexadecimal.",
        &[TEXT],
        |args| Ok(hex(&of_text::<Sha256>(args)).into()),
    ),
    Function::whole(
        "sha512(string)",
        "The SHA-512 of the string, in hexadecimal.",
        &[TEXT],
        |args| Ok(hex(&of_text::<Sha512>(args)).into()),
    ),
    Function::whole(
        "uuidv5(namespace, name)",
        "The UUID of a name in a namespace: `dns`, `url`, `oid`, `x500`, or a UUID.",
        &[TEXT, TEXT],
        |args| {
            let namespace = match args.text(0) {
                "dns" => Uuid::NAMESPACE_DNS,
                "url" => Uuid::NAMESPACE_URL,
                "oid" => Uuid::NAMESPACE_OID,
                "x500" => Uuid::NAMESPACE_X500,
                other => Uuid::parse_str(other).map_err(|_| {
                    Fault::at(0, "must be `dns`, `url`, `oid`, `x500`, or a UUID").quoting(other)
                })?,
            };
            Ok(Uuid::new_v5(&namespace, args.text(1).as_bytes()).to_string().into())
        },
    ),
];

fn of_text<D: Digest>(args: &Args<'_>) -> Vec<u8> {
    D::digest(args.text(0).as_bytes()).to_vec()
}

fn of_file<D: Digest>(args: &Args<'_>) -> Result<Vec<u8>, Fault> {
    Ok(D::digest(file::read(args, 0)?).to_vec())
}

#[cfg(test)]
mod tests;
