# specs/web-fleet in Terraform's own language, argument by argument, for scanners that read it.
provider "aws" {
  region = var.region
  default_tags {
    tags = { project = var.name }
  }
}

variable "name" {
  type    = string
  default = "web-fleet"
}
variable "region" {
  type    = string
  default = "ap-northeast-2"
}
variable "instances" {
  type    = number
  default = 2
}
variable "internal" {
  type    = bool
  default = false
}
variable "zones" {
  type    = set(string)
  default = []
}
variable "open_ports" {
  type = map(object({ port = number, cidr = optional(string, "0.0.0.0/0") }))
  default = {
    http = { port = 80, cidr = "0.0.0.0/0" }
  }
}
variable "ssh_from" {
  type    = list(string)
  default = []
}
variable "public_key" {
  type    = string
  default = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE fleet"
}

locals {
  zones = length(var.zones) == 0 ? data.aws_availability_zones.all.names : [for zone in var.zones : "${var.region}${zone}"]
  instance_type = one(slice([for type in ["t3.micro", "t2.micro"] : type
  if contains(data.aws_ec2_instance_types.free.instance_types, type)], 0, 1))
}

data "aws_availability_zones" "all" {
  state = "available"
}
data "aws_vpc" "default" {
  default = true
}
data "aws_subnets" "zones" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
  filter {
    name   = "availability-zone"
    values = local.zones
  }
  filter {
    name   = "default-for-az"
    values = ["true"]
  }
}
data "aws_ami" "amazon_linux" {
  owners      = ["amazon"]
  most_recent = true
  filter {
    name   = "name"
    values = ["al2023-ami-2023*-x86_64"]
  }
}
data "aws_ec2_instance_types" "free" {
  filter {
    name   = "free-tier-eligible"
    values = ["true"]
  }
  filter {
    name   = "processor-info.supported-architecture"
    values = ["x86_64"]
  }
}

resource "aws_security_group" "alb" {
  name        = "${var.name}-alb"
  description = "The load balancer"
  vpc_id      = data.aws_vpc.default.id
  lifecycle {
    create_before_destroy = true
  }
}
resource "aws_security_group" "web" {
  name        = "${var.name}-web"
  description = "The web servers"
  vpc_id      = data.aws_vpc.default.id
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "alb" {
  for_each          = var.open_ports
  security_group_id = aws_security_group.alb.id
  description       = each.key
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.cidr
}
resource "aws_vpc_security_group_ingress_rule" "web" {
  security_group_id            = aws_security_group.web.id
  description                  = "HTTP from the load balancer"
  ip_protocol                  = "tcp"
  from_port                    = 80
  to_port                      = 80
  referenced_security_group_id = aws_security_group.alb.id
}
resource "aws_vpc_security_group_ingress_rule" "ssh" {
  for_each          = toset(var.ssh_from)
  security_group_id = aws_security_group.web.id
  description       = "SSH"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_ipv4         = each.key
}
resource "aws_vpc_security_group_egress_rule" "all" {
  for_each = {
    alb = aws_security_group.alb.id
    web = aws_security_group.web.id
  }
  security_group_id = each.value
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_key_pair" "web" {
  key_name   = var.name
  public_key = var.public_key
}

resource "aws_instance" "web" {
  count                       = var.instances
  ami                         = data.aws_ami.amazon_linux.id
  instance_type               = local.instance_type
  subnet_id                   = element(sort(data.aws_subnets.zones.ids), count.index)
  key_name                    = aws_key_pair.web.key_name
  vpc_security_group_ids      = [aws_security_group.web.id]
  user_data                   = <<-SCRIPT
    #!/bin/sh
    dnf install -y nginx
    echo "${var.name} ${count.index}" > /usr/share/nginx/html/index.html
    systemctl enable --now nginx
  SCRIPT
  user_data_replace_on_change = true
  metadata_options {
    http_tokens = "required"
  }
  root_block_device {
    volume_size = 8
    volume_type = "gp3"
    encrypted   = true
  }
  tags = { Name = format("%s-%03d", var.name, count.index) }
  lifecycle {
    ignore_changes        = [ami]
    create_before_destroy = true
  }
}

resource "aws_lb" "web" {
  name            = "${var.name}-alb"
  internal        = var.internal
  security_groups = [aws_security_group.alb.id]
  subnets         = data.aws_subnets.zones.ids
  lifecycle {
    precondition {
      condition     = length(data.aws_subnets.zones.ids) >= 2
      error_message = "A load balancer needs subnets in two zones."
    }
  }
}

resource "aws_lb_target_group" "web" {
  name                 = "${var.name}-tg"
  port                 = 80
  protocol             = "HTTP"
  vpc_id               = data.aws_vpc.default.id
  deregistration_delay = 30
  health_check {
    path              = "/"
    healthy_threshold = 2
    interval          = 10
    matcher           = "200"
  }
}

resource "aws_lb_listener" "web" {
  for_each          = var.open_ports
  load_balancer_arn = aws_lb.web.arn
  port              = each.value.port
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}

resource "aws_lb_target_group_attachment" "web" {
  count            = var.instances
  target_group_arn = aws_lb_target_group.web.arn
  target_id        = aws_instance.web[count.index].id
  port             = 80
}
