"""Key pairs, with the fingerprints AWS computes."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from ..errors import AwsError
from ..ids import new_id
from ..operations import Call, operation
from ..reads import By, Listing
from ..world import utcnow

KEYS = Listing(
    "DescribeKeyPairs", "KeyPairs", "KeyPairId",
    by=(
        By("KeyNames", "KeyName", "InvalidKeyPair.NotFound", "The key pair '{}' does not exist"),
        By("KeyPairIds", "KeyPairId", "InvalidKeyPair.NotFound", "The key pair ID '{}' does not exist"),
    ),
    filters={"key-name": "KeyName", "key-pair-id": "KeyPairId", "fingerprint": "KeyFingerprint"},
)  # fmt: skip


def fingerprint(key: Any) -> str:
    """What AWS reports for an imported key: MD5 of the DER form for RSA, SHA-256 of the blob for ED25519."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        blob = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).split()[1]
        return base64.b64encode(hashlib.sha256(base64.b64decode(blob)).digest()).decode()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.md5(der, usedforsecurity=False).hexdigest()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


def _parse(material: bytes) -> Any:
    text = material.strip()
    candidates = [text]
    try:
        # A client may have encoded it once too often, which AWS accepts.
        candidates.append(base64.b64decode(text, validate=True).strip())
    except (binascii.Error, ValueError):
        pass
    for candidate in candidates:
        for load in (
            serialization.load_ssh_public_key,
            serialization.load_pem_public_key,
            serialization.load_der_public_key,
        ):
            try:
                key = load(candidate)
            except (ValueError, UnsupportedAlgorithm):
                continue
            if isinstance(key, ed25519.Ed25519PublicKey):
                return key
            if isinstance(key, rsa.RSAPublicKey) and key.key_size in (1024, 2048, 4096):
                return key
    raise AwsError("InvalidKey.Format", "Key is not in valid OpenSSH public key format")


def _free_name(call: Call) -> str:
    name = call.params["KeyName"]
    if not 1 <= len(name) <= 255 or not name.isascii():
        raise AwsError("InvalidParameterValue", f"Value ({name}) for parameter KeyName is invalid.")
    if any(key["KeyName"] == name for key in call.region.keys.values()):
        raise AwsError("InvalidKeyPair.Duplicate", f"The keypair already exists: {name}")
    return name


def _add(call: Call, name: str, kind: str, print_: str, public: str) -> dict[str, Any]:
    key = {
        "KeyPairId": new_id("key"),
        "KeyName": name,
        "KeyType": kind,
        "KeyFingerprint": print_,
        "CreateTime": utcnow(),
        "Tags": call.tags_for("key-pair"),
        "_public": public,
    }
    call.region.keys[key["KeyPairId"]] = key
    call.region.created(key["KeyPairId"])
    return key


@operation("ec2", "ImportKeyPair")
def import_key(call: Call) -> dict[str, Any]:
    name = _free_name(call)
    key = _parse(call.params["PublicKeyMaterial"])
    public = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    kind = "ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else "rsa"
    # AWS gives the key back under the pair's name, whatever its comment was.
    return _add(call, name, kind, fingerprint(key), f"{public} {name}")


@operation("ec2", "CreateKeyPair")
def create(call: Call) -> dict[str, Any]:
    name, kind = _free_name(call), call.get("KeyType", "rsa")
    private: Any
    if kind == "ed25519":
        private = ed25519.Ed25519PrivateKey.generate()
        print_ = fingerprint(private.public_key())
        form = serialization.PrivateFormat.OpenSSH
    else:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        der = private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        digest = hashlib.sha1(der, usedforsecurity=False).hexdigest()
        print_ = ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
        form = serialization.PrivateFormat.TraditionalOpenSSL
    public = (
        private.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    )
    key = _add(call, name, kind, print_, f"{public} {name}")
    material = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    return {**key, "KeyMaterial": material}


@operation("ec2", "DescribeKeyPairs")
def describe(call: Call) -> dict[str, Any]:
    shown = call.get("IncludePublicKey", False)
    keys = [{**key, "PublicKey": key["_public"] if shown else None} for key in call.region.keys.values()]
    return KEYS(call, {"KeyPairs": keys})


@operation("ec2", "DeleteKeyPair")
def delete(call: Call) -> dict[str, Any]:
    name, key_id = call.get("KeyName"), call.get("KeyPairId")
    if not name and not key_id:
        raise AwsError("MissingParameter", "The request must contain the parameter KeyName or KeyPairId")
    gone = [key for key in call.region.keys.values() if name == key["KeyName"] or key_id == key["KeyPairId"]]
    for key in gone:
        del call.region.keys[key["KeyPairId"]]
    return {"Return": True, "KeyPairId": gone[0]["KeyPairId"] if gone else None}
