output "outputs" {
  description = "Of the stack: JarBucketName, LedgerBucketName, MessageQueueUrl, EventBusName and others"
  value       = aws_cloudformation_stack.installation.outputs
}

output "version" {
  description = "The release that is deployed"
  value       = local.version
}
