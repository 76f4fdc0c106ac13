# An installation by Terraform: the same template and zips as `flink-dispatch deploy` deploys.
#   flink-dispatch deploy --stack flink-dispatch-prod --config dispatch.yml --to release
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

locals {
  template = jsondecode(file("${var.release}/template.json"))
  version  = local.template.Parameters.CodeVersion.Default
  zips     = fileset(var.release, "*.zip")
}

data "aws_s3_bucket" "code" {
  bucket = var.code_bucket
}

# Their keys name what they hold. Those of the release before go when the functions have the new ones.
resource "aws_s3_object" "zip" {
  for_each = local.zips

  bucket = data.aws_s3_bucket.code.id
  key    = "${var.code_prefix}${local.version}/${each.value}"
  source = "${var.release}/${each.value}"

  lifecycle {
    create_before_destroy = true
  }
}

# Too large for a request of CloudFormation, so that it is read from S3.
resource "aws_s3_object" "template" {
  bucket = data.aws_s3_bucket.code.id
  key    = "${var.code_prefix}templates/${substr(filesha256("${var.release}/template.json"), 0, 16)}.json"
  source = "${var.release}/template.json"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudformation_stack" "installation" {
  name         = var.stack
  template_url = "https://${data.aws_s3_bucket.code.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  capabilities = ["CAPABILITY_IAM"]
  tags         = var.tags

  parameters = merge(var.parameters, {
    CodeBucket  = data.aws_s3_bucket.code.id
    CodePrefix  = var.code_prefix
    CodeVersion = local.version
  })

  depends_on = [aws_s3_object.zip]
}

# What the functions read: rights that it needs are in the template, and come first.
resource "aws_s3_object" "configuration" {
  bucket       = aws_cloudformation_stack.installation.outputs["LedgerBucketName"]
  key          = "config/dispatch.yml"
  source       = "${var.release}/dispatch.yml"
  source_hash  = filemd5("${var.release}/dispatch.yml")
  content_type = "application/yaml"
}
