# specs/lab-web in Terraform's own language, argument by argument, for scanners that read it.
provider "aws" {
  region = "ap-northeast-2"
  default_tags {
    tags = { project = "lab-web" }
  }
}

variable "image_date" {
  type    = string
  default = "20261123"
}
variable "instance_type" {
  type    = string
  default = "t3.micro"
}
variable "user_data" {
  type    = string
  default = "#include https://bit.ly/Userdata"
}
variable "public_key" {
  type    = string
  default = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE lab"
}

locals {
  anywhere = ["0.0.0.0/0"]
}

data "aws_ami" "amazon_linux" {
  owners      = ["amazon"]
  most_recent = true
  filter {
    name   = "name"
    values = ["al2023-ami-2023*-x86_64"]
  }
  filter {
    name   = "virtualization-type"
    values = ["hvm"]
  }
}

data "aws_vpc" "default" {
  default = true
}
data "aws_subnet" "a" {
  vpc_id            = data.aws_vpc.default.id
  availability_zone = "ap-northeast-2a"
  default_for_az    = true
}
data "aws_subnet" "c" {
  vpc_id            = data.aws_vpc.default.id
  availability_zone = "ap-northeast-2c"
  default_for_az    = true
}

resource "aws_security_group" "web" {
  name        = "lab-web-sg"
  description = "SSH and HTTP to the web servers"
  vpc_id      = data.aws_vpc.default.id
  ingress {
    description = "SSH"
    protocol    = "tcp"
    from_port   = 22
    to_port     = 22
    cidr_blocks = local.anywhere
  }
  ingress {
    description = "HTTP"
    protocol    = "tcp"
    from_port   = 80
    to_port     = 80
    cidr_blocks = local.anywhere
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = local.anywhere
  }
  tags = { Name = "lab-web-sg" }
}

resource "aws_security_group" "alb" {
  name        = "lab-web-alb-sg"
  description = "HTTP to the load balancer"
  vpc_id      = data.aws_vpc.default.id
  ingress {
    description = "HTTP"
    protocol    = "tcp"
    from_port   = 80
    to_port     = 80
    cidr_blocks = local.anywhere
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = local.anywhere
  }
  tags = { Name = "lab-web-alb-sg" }
}

resource "aws_key_pair" "lab" {
  key_name   = "seoul-lab-web"
  public_key = var.public_key
}

resource "aws_instance" "web_2a" {
  ami                         = data.aws_ami.amazon_linux.id
  instance_type               = var.instance_type
  subnet_id                   = data.aws_subnet.a.id
  associate_public_ip_address = true
  key_name                    = aws_key_pair.lab.key_name
  vpc_security_group_ids      = [aws_security_group.web.id]
  user_data                   = var.user_data
  root_block_device {
    volume_size = 8
  }
  tags = { Name = "lab-web-pub-2a" }
  lifecycle {
    ignore_changes = [ami]
  }
}

resource "aws_instance" "web_2c" {
  ami                         = aws_ami_from_instance.web.id
  instance_type               = var.instance_type
  subnet_id                   = data.aws_subnet.c.id
  associate_public_ip_address = true
  key_name                    = aws_key_pair.lab.key_name
  vpc_security_group_ids      = [aws_security_group.web.id]
  root_block_device {
    volume_size = 8
  }
  tags = { Name = "lab-web-pub-2c" }
}

resource "aws_ami_from_instance" "web" {
  name                    = "lab-web-${var.image_date}"
  description             = "The first web server of ${var.image_date}"
  source_instance_id      = aws_instance.web_2a.id
  snapshot_without_reboot = true
  tags                    = { Name = "lab-web-${var.image_date}" }
}

resource "aws_lb" "web" {
  name               = "lab-web-alb"
  load_balancer_type = "application"
  internal           = false
  security_groups    = [aws_security_group.alb.id]
  subnets            = [data.aws_subnet.a.id, data.aws_subnet.c.id]
  tags               = { Name = "lab-web-alb" }
}

resource "aws_lb_target_group" "web" {
  name     = "lab-web-alb-tg"
  port     = 80
  protocol = "HTTP"
  vpc_id   = data.aws_vpc.default.id
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.web.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}

resource "aws_lb_target_group_attachment" "web_2a" {
  target_group_arn = aws_lb_target_group.web.arn
  target_id        = aws_instance.web_2a.id
  port             = 80
}
resource "aws_lb_target_group_attachment" "web_2c" {
  target_group_arn = aws_lb_target_group.web.arn
  target_id        = aws_instance.web_2c.id
  port             = 80
}
