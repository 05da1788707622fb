package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/api"
	"go.temporal.io/server/common/authorization"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"gopkg.in/yaml.v3"
)

//go:embed rights.yaml
var rightsFile []byte

// keeper administers the cluster: namespaces, search attributes, whatever the server offers. Never a running process.
const keeper = "keeper"
const everywhere = "*"

const shortestTask = 10 * time.Second

// A refused update repeats its request to the server, which takes 2 MiB: one that is nearly as large would hold its workflow
// up for as long as its sender waits. Our largest messages have 1.8 MB.
const largestUpdate = 1_900_000

// Rights are what one role may do in its namespace; everything else is refused.
type Rights struct {
	// Calls of the workflow service, and those of the operator service that change nothing, by name.
	Calls []string `yaml:"calls"`
	// Every call that changes nothing, in the namespace and of the cluster.
	Reads bool `yaml:"reads"`
	// Signals that it may send, by name.
	Signals []string `yaml:"signals"`
	// Workflows that it may start, by type.
	Starts map[string]Start `yaml:"starts"`
}

// Start says how workflows of a type are started.
type Start struct {
	// How its id begins.
	ID string `yaml:"id"`
	// It may be given a time after which the server ends it.
	Ends bool `yaml:"ends"`
}

const taskQueue = "oms"

func readRights(content []byte) (map[string]*Rights, error) {
	found := map[string]*Rights{}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&found); err != nil {
		return nil, err
	}
	for role, rights := range found {
		for _, call := range rights.Calls {
			known := api.GetMethodMetadata(api.WorkflowServicePrefix + call)
			if known.Scope == api.ScopeUnknown {
				known = api.GetMethodMetadata(api.OperatorServicePrefix + call)
			}
			if known.Scope == api.ScopeUnknown || known.Access == api.AccessAdmin {
				return nil, fmt.Errorf("role %s: there is no call %s, or it is the keeper's", role, call)
			}
		}
	}
	return found, nil
}

// Authorize says whether this caller may do this.
func (w *Walls) Authorize(
	ctx context.Context, claims *authorization.Claims, target *authorization.CallTarget,
) (authorization.Result, error) {
	if authorization.IsHealthCheckAPI(target.APIName) {
		return authorization.Result{Decision: authorization.DecisionAllow}, nil
	}
	if claims == nil {
		return denied("no token"), nil
	}
	if claims.System != authorization.RoleUndefined {
		// The server's own services, behind internal-frontend, and the keeper.
		return authorization.NewDefaultAuthorizer().Authorize(ctx, claims, target)
	}
	why := "no role in this namespace"
	granted, _ := claims.Extensions.(grants)
	for _, role := range rolesFor(granted, target) {
		rights := w.rights[role]
		if rights == nil {
			continue
		}
		if why = rights.whyNot(target); why == "" {
			who := &commonpb.Principal{Type: claims.AuthType, Name: claims.Subject}
			return authorization.Result{Decision: authorization.DecisionAllow, Principal: who}, nil
		}
	}
	w.refused(claims, api.MethodName(target.APIName), why)
	return denied(why), nil
}

func denied(why string) authorization.Result {
	return authorization.Result{Decision: authorization.DecisionDeny, Reason: why}
}

// Of a call that names no namespace: the roles of all, since what reads the cluster is the same for each.
func rolesFor(granted grants, target *authorization.CallTarget) []string {
	if api.GetMethodMetadata(target.APIName).Scope != api.ScopeCluster {
		return granted[target.Namespace]
	}
	var all []string
	for _, roles := range granted {
		all = append(all, roles...)
	}
	return all
}

// Empty when it may.
func (r *Rights) whyNot(target *authorization.CallTarget) string {
	known := api.GetMethodMetadata(target.APIName)
	// Reading is what the server says of a call; a query task or a poll for tasks is never.
	if r.Reads && known.Access == api.AccessReadOnly && !strings.HasPrefix(target.APIName, api.AdminServicePrefix) {
		return ""
	}
	name := api.MethodName(target.APIName)
	ours := []string{api.WorkflowServicePrefix, api.OperatorServicePrefix}
	if !slices.Contains(ours, api.ServiceName(target.APIName)) || !slices.Contains(r.Calls, name) {
		return "its role has no call " + name
	}
	switch request := target.Request.(type) {
	case *workflowservice.SignalWorkflowExecutionRequest:
		return r.whyNotSignal(request.GetSignalName())
	case *workflowservice.StartWorkflowExecutionRequest:
		return r.whyNotStart(request)
	case *workflowservice.SignalWithStartWorkflowExecutionRequest:
		if why := r.whyNotSignal(request.GetSignalName()); why != "" {
			return why
		}
		return r.whyNotStart(asStart(request))
	case *workflowservice.UpdateWorkflowExecutionRequest:
		return whyNotUpdate(request)
	case *workflowservice.ExecuteMultiOperationRequest:
		for _, one := range request.GetOperations() {
			if one.GetStartWorkflow() != nil {
				if why := r.whyNotStart(one.GetStartWorkflow()); why != "" {
					return why
				}
			} else if one.GetUpdateWorkflow() == nil {
				return "an operation that is neither a start nor an update"
			} else if why := whyNotUpdate(one.GetUpdateWorkflow()); why != "" {
				return why
			}
		}
		return ""
	}
	// A worker's task may signal or start in another namespace: asked with that call's name and the task's request.
	if name == "SignalWorkflowExecution" || name == "StartWorkflowExecution" {
		return "not from another namespace"
	}
	return ""
}

func whyNotUpdate(request *workflowservice.UpdateWorkflowExecutionRequest) string {
	if proto.Size(request) > largestUpdate {
		return fmt.Sprintf("an update of more than %d bytes", largestUpdate)
	}
	return ""
}

func (r *Rights) whyNotSignal(name string) string {
	if !slices.Contains(r.Signals, name) {
		return "its role has no such signal"
	}
	return ""
}

// What the server does by itself for a start (ends another one, calls an address, hands out the first task) is for nobody.
func (r *Rights) whyNotStart(request *workflowservice.StartWorkflowExecutionRequest) string {
	kind := request.GetWorkflowType().GetName()
	start, found := r.Starts[kind]
	policy, conflict := request.GetWorkflowIdReusePolicy(), request.GetWorkflowIdConflictPolicy()
	//lint:ignore SA1019 deprecated, and still obeyed by the server
	terminates := policy == enumspb.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING ||
		conflict == enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
	ends := isSet(request.GetWorkflowExecutionTimeout()) || isSet(request.GetWorkflowRunTimeout())
	task := request.GetWorkflowTaskTimeout()
	switch {
	case !found:
		return "its role starts no such workflow"
	case !strings.HasPrefix(request.GetWorkflowId(), start.ID):
		return "workflows of this type are called " + start.ID + "…"
	case request.GetTaskQueue().GetName() != taskQueue:
		return "workflows start on task queue " + taskQueue
	case terminates:
		return "a start that ends another workflow"
	case ends && !start.Ends:
		return "workflows of this type have no end by time"
	case isSet(task) && task.AsDuration() < shortestTask:
		return "a task's time is ten seconds or more"
	case request.GetRequestEagerExecution():
		return "tasks are for workers"
	case len(request.GetCompletionCallbacks()) > 0 || request.GetOnConflictOptions() != nil:
		return "nobody is called back"
	case request.GetCronSchedule() != "" || request.GetContinuedFailure() != nil ||
		request.GetLastCompletionResult() != nil || request.GetTimeSkippingConfig() != nil ||
		request.GetVersioningOverride() != nil:
		return "a start like any other"
	}
	return ""
}

func isSet(time *durationpb.Duration) bool {
	return time.AsDuration() != 0
}

func asStart(s *workflowservice.SignalWithStartWorkflowExecutionRequest) *workflowservice.StartWorkflowExecutionRequest {
	return &workflowservice.StartWorkflowExecutionRequest{
		WorkflowId: s.GetWorkflowId(), WorkflowType: s.GetWorkflowType(), TaskQueue: s.GetTaskQueue(),
		WorkflowIdReusePolicy: s.GetWorkflowIdReusePolicy(), WorkflowIdConflictPolicy: s.GetWorkflowIdConflictPolicy(),
		WorkflowExecutionTimeout: s.GetWorkflowExecutionTimeout(), WorkflowRunTimeout: s.GetWorkflowRunTimeout(),
		WorkflowTaskTimeout: s.GetWorkflowTaskTimeout(), CronSchedule: s.GetCronSchedule(),
		VersioningOverride: s.GetVersioningOverride(), TimeSkippingConfig: s.GetTimeSkippingConfig(),
	}
}
