"""Opens a port of a security group, as a colleague with the console would.

Usage: drift.py GROUP_NAME PORT. The environment says which account; the command that would have
done the same is printed.
"""

import sys

import boto3

name, port = sys.argv[1], int(sys.argv[2])
ec2 = boto3.client("ec2")
group = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"][0]
permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[permission])
print(
    f"aws ec2 authorize-security-group-ingress --group-id {group['GroupId']} "
    f"--protocol tcp --port {port} --cidr 0.0.0.0/0"
)
