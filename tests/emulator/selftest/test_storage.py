"""Key pairs, volumes, snapshots and images."""

from __future__ import annotations

import base64
import hashlib
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from .support import REGION, Case, named


def public(key) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)


class Keys(Case):
    def test_import(self):
        text = public(ed25519.Ed25519PrivateKey.generate())
        made = self.ec2.import_key_pair(KeyName="ed", PublicKeyMaterial=text + b" me@here\n")
        blob = base64.b64decode(text.split()[1])
        self.assertEqual(base64.b64encode(hashlib.sha256(blob).digest()).decode(), made["KeyFingerprint"])
        with self.refused("InvalidKeyPair.Duplicate"):
            self.ec2.import_key_pair(KeyName="ed", PublicKeyMaterial=text)
        with self.refused("InvalidKey.Format"):
            self.ec2.import_key_pair(KeyName="bad", PublicKeyMaterial=b"ssh-dss nonsense")
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        made = self.ec2.import_key_pair(
            KeyName="rsa", PublicKeyMaterial=public(key), TagSpecifications=named("key-pair", a="b")
        )
        der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.assertEqual(hashlib.md5(der).hexdigest(), made["KeyFingerprint"].replace(":", ""))
        shown = self.ec2.describe_key_pairs(KeyPairIds=[made["KeyPairId"]], IncludePublicKey=True)["KeyPairs"][0]
        self.assertEqual(public(key).split()[:2], shown["PublicKey"].encode().split()[:2])
        self.assertNotIn("PublicKey", self.ec2.describe_key_pairs(KeyNames=["rsa"])["KeyPairs"][0])
        for name in ("rsa", "rsa", "ed"):
            self.ec2.delete_key_pair(KeyName=name)
        self.assertEqual(0, self.account.control("GET", "inventory")["total"])


class Volumes(Case):
    def make(self, **more) -> str:
        return self.ec2.create_volume(**{"AvailabilityZone": REGION + "a", "Size": 10, "VolumeType": "gp3", **more})[
            "VolumeId"
        ]

    def show(self, volume_id: str) -> dict:
        return self.ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]

    def test_defaults_and_limits(self):
        volume = self.show(self.make())
        self.assertEqual((3000, 125, "available"), (volume["Iops"], volume["Throughput"], volume["State"]))
        self.assertEqual("gp2", self.ec2.create_volume(AvailabilityZone=REGION + "a", Size=1)["VolumeType"])
        for code, more in (
            ("InvalidParameterCombination", {"VolumeType": "gp2", "Iops": 3000}),
            ("MissingParameter", {"VolumeType": "io2"}),
            ("InvalidParameterValue", {"Throughput": 9000}),
            ("InvalidParameterValue", {"Size": 100000}),
            ("InvalidParameterValue", {"VolumeType": "st1"}),
            ("InvalidZone.NotFound", {"AvailabilityZone": "nowhere-1a"}),
        ):
            with self.subTest(more), self.refused(code):
                self.make(**more)

    def test_attachments(self):
        instance_id, volume_id = self.account.run()["InstanceId"], self.make()
        attach = {"InstanceId": instance_id, "VolumeId": volume_id, "Device": "/dev/sdf"}
        self.account.set(volume_attaching=0.3, volume_detaching=0.3)
        self.assertEqual("attaching", self.ec2.attach_volume(**attach)["State"])
        with self.refused("VolumeInUse"):
            self.ec2.attach_volume(**attach)
        time.sleep(0.35)
        self.assertEqual("attached", self.show(volume_id)["Attachments"][0]["State"])
        with self.refused("InvalidParameterValue"):
            self.ec2.attach_volume(**{**attach, "VolumeId": self.make()})
        with self.refused("InvalidVolume.ZoneMismatch"):
            self.ec2.attach_volume(
                **{**attach, "VolumeId": self.make(AvailabilityZone=REGION + "b"), "Device": "/dev/sdg"}
            )
        with self.refused("VolumeInUse"):
            self.ec2.delete_volume(VolumeId=volume_id)
        self.assertEqual("detaching", self.ec2.detach_volume(VolumeId=volume_id)["State"])
        self.assertEqual("in-use", self.show(volume_id)["State"])
        time.sleep(0.35)
        self.assertEqual("available", self.show(volume_id)["State"])
        with self.refused("IncorrectState"):
            self.ec2.detach_volume(VolumeId=volume_id)
        self.ec2.delete_volume(VolumeId=volume_id)

    def test_modification(self):
        self.account.set(volume_modifying=0.3, volume_optimizing=0.3)
        volume_id = self.make()
        self.ec2.modify_volume(VolumeId=volume_id, Size=20, Iops=4000)
        self.assertEqual(10, self.show(volume_id)["Size"])
        with self.refused("IncorrectModificationState"):
            self.ec2.modify_volume(VolumeId=volume_id, Size=30)
        states = []
        for _ in range(3):
            states.append(self.ec2.describe_volumes_modifications(VolumeIds=[volume_id])["VolumesModifications"][0])
            time.sleep(0.32)
        self.assertEqual(["modifying", "optimizing", "completed"], [s["ModificationState"] for s in states])
        self.assertEqual((10, 20), (states[2]["OriginalSize"], states[2]["TargetSize"]))
        self.assertEqual((20, 4000), (self.show(volume_id)["Size"], self.show(volume_id)["Iops"]))
        with self.refused("InvalidParameterValue"):
            self.ec2.modify_volume(VolumeId=volume_id, Size=5)


class Images(Case):
    def test_from_an_instance(self):
        instance_id = self.account.run(
            BlockDeviceMappings=[
                {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 11}},
                {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 3}},
            ]
        )["InstanceId"]
        self.account.set(image_pending=0.4, snapshot_pending=0.2)
        image_id = self.ec2.create_image(
            InstanceId=instance_id, Name="my-image", Description="d", NoReboot=True,
            TagSpecifications=named("image", a="i") + named("snapshot", a="s"),
        )["ImageId"]  # fmt: skip
        image = self.ec2.describe_images(ImageIds=[image_id])["Images"][0]
        self.assertEqual(("pending", "/dev/xvda"), (image["State"], image["RootDeviceName"]))
        self.assertEqual([11, 3], [m["Ebs"]["VolumeSize"] for m in image["BlockDeviceMappings"]])
        snapshots = self.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
        self.assertEqual([11, 3], [s["VolumeSize"] for s in snapshots])
        self.assertTrue(all(s["Tags"] == [{"Key": "a", "Value": "s"}] for s in snapshots))
        self.assertIn(f"Created by CreateImage({instance_id}) for {image_id}", snapshots[0]["Description"])
        with self.refused("InvalidAMIID.Unavailable"):
            self.account.run(ImageId=image_id)
        with self.refused("InvalidAMIName.Duplicate"):
            self.ec2.create_image(InstanceId=instance_id, Name="my-image")
        time.sleep(0.45)
        clone = self.account.instance(self.account.run(ImageId=image_id)["InstanceId"])
        self.assertEqual(["/dev/xvda", "/dev/sdf"], [m["DeviceName"] for m in clone["BlockDeviceMappings"]])
        with self.refused("InvalidSnapshot.InUse"):
            self.ec2.delete_snapshot(SnapshotId=snapshots[0]["SnapshotId"])
        answer = self.ec2.deregister_image(ImageId=image_id, DeleteAssociatedSnapshots=True)
        self.assertEqual(["success", "success"], [r["ReturnCode"] for r in answer["DeleteSnapshotResults"]])
        self.assertEqual([], self.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"])
        self.assertEqual([], self.ec2.describe_images(ImageIds=[image_id])["Images"])
        with self.refused("InvalidAMIID.Unavailable"):
            self.ec2.deregister_image(ImageId=image_id)

    def test_deregistering_alone_leaves_snapshots(self):
        image_id = self.ec2.create_image(InstanceId=self.account.run()["InstanceId"], Name="one")["ImageId"]
        self.ec2.deregister_image(ImageId=image_id)
        snapshots = self.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
        self.assertEqual(1, len(snapshots))
        self.ec2.delete_snapshot(SnapshotId=snapshots[0]["SnapshotId"])

    def test_a_failed_image(self):
        instance_id = self.account.run()["InstanceId"]
        self.account.fault(kind="outcome", operation="CreateImage", code="Server.InternalError", message="disk trouble")
        image_id = self.ec2.create_image(InstanceId=instance_id, Name="bad")["ImageId"]
        image = self.ec2.describe_images(ImageIds=[image_id])["Images"][0]
        self.assertEqual(("failed", "disk trouble"), (image["State"], image["StateReason"]["Message"]))

    def test_the_catalogue(self):
        def names(**filters: str) -> list[str]:
            wanted = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
            return [image["Name"] for image in self.ec2.describe_images(Owners=["amazon"], Filters=wanted)["Images"]]

        arm = names(architecture="arm64", state="available", virtualization_type="hvm", root_device_type="ebs")
        self.assertTrue(arm)
        self.assertTrue(all("arm64" in name for name in arm))
        self.assertTrue(names(name="amzn2-ami-hvm-*-x86_64-gp2"))
        self.assertEqual([], names(name="ubuntu/*"))
        ubuntu = self.ec2.describe_images(Owners=["099720109477"])["Images"]
        self.assertTrue(all(image["RootDeviceName"] == "/dev/sda1" for image in ubuntu))
        self.assertEqual([], self.ec2.describe_images(Owners=["self"])["Images"])
        under = ubuntu[0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
        self.assertEqual(1, len(self.ec2.describe_snapshots(SnapshotIds=[under])["Snapshots"]))
        with self.refused("AuthFailure"):
            self.ec2.deregister_image(ImageId=ubuntu[0]["ImageId"])
