// A provider that stands for AWS' own, which no registry of packages has: it knows the arguments that the module may use, makes
// nothing, and writes down what it is asked for, in order, into the file of CALLS.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	datasourceschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func main() {
	options := providerserver.ServeOpts{Address: "terraform.local/hashicorp/aws"}
	if err := providerserver.Serve(context.Background(), func() provider.Provider { return aws{} }, options); err != nil {
		log.Fatal(err)
	}
}

type aws struct{}

func (aws) Metadata(_ context.Context, _ provider.MetadataRequest, answer *provider.MetadataResponse) {
	answer.TypeName, answer.Version = "aws", "6.0.0"
}
func (aws) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse)          {}
func (aws) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}
func (aws) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{func() datasource.DataSource { return bucket{} }}
}
func (aws) Resources(context.Context) []func() resource.Resource {
	text, replaced := schema.StringAttribute{Optional: true}, schema.StringAttribute{
		Required: true, PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
	texts := schema.MapAttribute{Optional: true, ElementType: types.StringType}
	object := made{name: "aws_s3_object", id: "key", schema: map[string]schema.Attribute{
		"bucket": replaced, "key": replaced, "source": text, "source_hash": text, "content_type": text,
	}}
	stack := made{name: "aws_cloudformation_stack", id: "name", schema: map[string]schema.Attribute{
		"name": replaced, "template_url": text, "tags": texts, "parameters": texts,
		"capabilities": schema.SetAttribute{Optional: true, ElementType: types.StringType},
		"outputs":      schema.MapAttribute{Computed: true, ElementType: types.StringType},
	}}
	return []func() resource.Resource{
		func() resource.Resource { return object }, func() resource.Resource { return stack },
	}
}

type bucket struct{}

func (bucket) Metadata(_ context.Context, _ datasource.MetadataRequest, answer *datasource.MetadataResponse) {
	answer.TypeName = "aws_s3_bucket"
}
func (bucket) Schema(_ context.Context, _ datasource.SchemaRequest, answer *datasource.SchemaResponse) {
	computed := datasourceschema.StringAttribute{Computed: true}
	answer.Schema = datasourceschema.Schema{Attributes: map[string]datasourceschema.Attribute{
		"bucket": datasourceschema.StringAttribute{Required: true}, "id": computed, "bucket_regional_domain_name": computed,
	}}
}
func (bucket) Read(ctx context.Context, request datasource.ReadRequest, answer *datasource.ReadResponse) {
	var name string
	request.Config.GetAttribute(ctx, path.Root("bucket"), &name)
	answer.State.SetAttribute(ctx, path.Root("bucket"), name)
	answer.State.SetAttribute(ctx, path.Root("id"), name)
	answer.State.SetAttribute(ctx, path.Root("bucket_regional_domain_name"), name+".s3.eu-central-1.amazonaws.com")
}

type made struct {
	name, id string
	schema   map[string]schema.Attribute
}

func (it made) Metadata(_ context.Context, _ resource.MetadataRequest, answer *resource.MetadataResponse) {
	answer.TypeName = it.name
}
func (it made) Schema(_ context.Context, _ resource.SchemaRequest, answer *resource.SchemaResponse) {
	answer.Schema = schema.Schema{Attributes: it.schema}
}
func (made) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}
func (it made) Create(ctx context.Context, request resource.CreateRequest, answer *resource.CreateResponse) {
	answer.State.Raw = request.Plan.Raw
	it.called(ctx, "create", &answer.State)
}
func (it made) Update(ctx context.Context, request resource.UpdateRequest, answer *resource.UpdateResponse) {
	answer.State.Raw = request.Plan.Raw
	it.called(ctx, "update", &answer.State)
}
func (it made) Delete(ctx context.Context, request resource.DeleteRequest, _ *resource.DeleteResponse) {
	it.called(ctx, "delete", &request.State)
}

func (it made) called(ctx context.Context, verb string, state *tfsdk.State) {
	var id string
	state.GetAttribute(ctx, path.Root(it.id), &id)
	if _, isStack := it.schema["outputs"]; isStack && verb != "delete" {
		state.SetAttribute(ctx, path.Root("outputs"), map[string]string{"LedgerBucketName": id + "-ledger"})
	}
	calls, err := os.OpenFile(os.Getenv("CALLS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	defer calls.Close()
	fmt.Fprintf(calls, "%s %s %s\n", verb, it.name, id)
}
