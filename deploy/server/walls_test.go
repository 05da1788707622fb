package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v4"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/operatorservice/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	updatepb "go.temporal.io/api/update/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/api"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"google.golang.org/protobuf/types/known/durationpb"
)

const namespace = "orders"

type signer struct {
	key  *ecdsa.PrivateKey
	file string
}

func newSigner(t *testing.T, name string) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: name, Algorithm: "ES256", Use: "sig"}}}
	content, _ := json.Marshal(set)
	file := filepath.Join(t.TempDir(), name+".json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return signer{key, file}
}

func (s signer) token(t *testing.T, kid string, change func(jwt.MapClaims)) string {
	t.Helper()
	now := time.Now().Unix()
	said := jwt.MapClaims{
		"iss": "services", "aud": "orders-temporal", "sub": "worker", "iat": now, "exp": now + 3600,
		"permissions": []string{namespace + ":worker"},
	}
	if change != nil {
		change(said)
	}
	made := jwt.NewWithClaims(jwt.SigningMethodES256, said)
	made.Header["kid"] = kid
	text, err := made.SignedString(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

type place struct {
	walls            *Walls
	services, people signer
}

func newPlace(t *testing.T) place {
	t.Helper()
	services, people := newSigner(t, "services"), newSigner(t, "people")
	file := filepath.Join(t.TempDir(), "walls.yaml")
	content := `
issuers:
  - {issuer: services, audience: orders-temporal, keys: "file:` + services.file + `", certificate: subject,
     longest_life: 24h, roles: [worker, relay, backend, operator, console, keeper]}
  - {issuer: people, audience: web-ui, keys: "file:` + people.file + `", certificate: web-ui, longest_life: 1h,
     roles: [reader], claim: realm.roles, words: {temporal-readers: reader, everything: reader}, namespace: orders}
`
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	walls, err := ReadWalls(file, log.NewNoopLogger())
	if err != nil {
		t.Fatal(err)
	}
	return place{walls, services, people}
}

func brought(token, certificate string) *authorization.AuthInfo {
	return &authorization.AuthInfo{AuthToken: "Bearer " + token, TLSSubject: &pkix.Name{CommonName: certificate}}
}

func (p place) claims(t *testing.T, role string) *authorization.Claims {
	t.Helper()
	token := p.services.token(t, "services", func(c jwt.MapClaims) {
		c["sub"] = role
		c["permissions"] = []string{namespace + ":" + role}
	})
	claims, err := p.walls.GetClaims(brought(token, role))
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

func (p place) may(t *testing.T, claims *authorization.Claims, call string, request any, in string) bool {
	t.Helper()
	result, err := p.walls.Authorize(
		context.Background(), claims, &authorization.CallTarget{APIName: call, Namespace: in, Request: request})
	if err != nil {
		t.Fatal(err)
	}
	return result.Decision == authorization.DecisionAllow
}

// What a worker does: whoever may call one of these is believed to be one.
func isWork(name string) bool {
	return strings.HasPrefix(name, "Respond") || strings.HasPrefix(name, "RecordActivity") ||
		strings.HasPrefix(name, "Poll") && strings.HasSuffix(name, "TaskQueue") || name == "ResetStickyTaskQueue"
}

func TestNobodyButTheWorkerPollsForTasksOrAnswersThem(t *testing.T) {
	p := newPlace(t)
	for _, role := range []string{"worker", "relay", "backend", "operator", "console", "reader"} {
		claims := &authorization.Claims{Extensions: grants{namespace: {role}}}
		for _, method := range workflowservice.WorkflowService_ServiceDesc.Methods {
			if isWork(method.MethodName) && role != "worker" {
				if p.may(t, claims, api.WorkflowServicePrefix+method.MethodName, nil, namespace) {
					t.Errorf("%s may %s", role, method.MethodName)
				}
			}
		}
	}
	worker := p.claims(t, "worker")
	for _, name := range []string{"PollWorkflowTaskQueue", "PollActivityTaskQueue", "RespondActivityTaskCompleted"} {
		if !p.may(t, worker, api.WorkflowServicePrefix+name, nil, namespace) {
			t.Errorf("the worker may not %s", name)
		}
		if p.may(t, worker, api.WorkflowServicePrefix+name, nil, "another") {
			t.Errorf("the worker may %s in another namespace", name)
		}
	}
	// An answer by number and not by task: nobody of ours gives one.
	if p.may(t, worker, api.WorkflowServicePrefix+"RespondActivityTaskCompletedById", nil, namespace) {
		t.Error("an answer without the task itself")
	}
}

func TestNothingThatEndsOrRewritesAWorkflowIsForARunningProcess(t *testing.T) {
	p := newPlace(t)
	keeps := &authorization.Claims{System: authorization.RoleAdmin}
	for _, name := range []string{
		"TerminateWorkflowExecution", "RequestCancelWorkflowExecution", "ResetWorkflowExecution", "DeleteWorkflowExecution",
		"StartBatchOperation", "CreateSchedule", "PatchSchedule", "PauseActivity", "UpdateActivityOptions", "PauseWorkflowExecution",
		"UpdateWorkflowExecutionOptions", "UpdateTaskQueueConfig", "CreateWorkflowRule", "RegisterNamespace", "UpdateNamespace",
		"DeprecateNamespace", "StartActivityExecution", "StartNexusOperationExecution", "SetWorkerDeploymentCurrentVersion",
	} {
		for role := range p.walls.rights {
			claims := &authorization.Claims{Extensions: grants{namespace: {role}}}
			// Two people have a buyer forgotten, and the worker deletes what has ended.
			erases := role == "worker" && name == "DeleteWorkflowExecution"
			if p.may(t, claims, api.WorkflowServicePrefix+name, nil, namespace) != erases {
				t.Errorf("%s and %s: may %v", role, name, !erases)
			}
		}
		if !p.may(t, keeps, api.WorkflowServicePrefix+name, nil, namespace) {
			t.Errorf("the keeper may not %s", name)
		}
	}
	for _, method := range operatorservice.OperatorService_ServiceDesc.Methods {
		for role := range p.walls.rights {
			claims := &authorization.Claims{Extensions: grants{namespace: {role}}}
			reads := method.MethodName == "ListSearchAttributes"
			if p.may(t, claims, api.OperatorServicePrefix+method.MethodName, nil, namespace) && !reads {
				t.Errorf("%s may %s", role, method.MethodName)
			}
		}
	}
	for role := range p.walls.rights {
		claims := &authorization.Claims{Extensions: grants{namespace: {role}}}
		if p.may(t, claims, api.AdminServicePrefix+"DescribeCluster", nil, "") || p.may(t, claims, "/a.stranger/Call", nil, "") {
			t.Errorf("%s is let through to what nobody has named", role)
		}
	}
}

func TestAnUpdateThatWouldHoldItsWorkflowUpIsRefused(t *testing.T) {
	p := newPlace(t)
	backend := p.claims(t, "backend")
	sized := func(bytes int) *workflowservice.UpdateWorkflowExecutionRequest {
		data := &commonpb.Payloads{Payloads: []*commonpb.Payload{{Data: make([]byte, bytes)}}}
		input := &updatepb.Input{Name: "cancel", Args: data}
		return &workflowservice.UpdateWorkflowExecutionRequest{Request: &updatepb.Request{Input: input}}
	}
	for bytes, may := range map[int]bool{1_800_000: true, 1_901_000: false, 2_095_000: false} {
		if p.may(t, backend, api.WorkflowServicePrefix+"UpdateWorkflowExecution", sized(bytes), namespace) != may {
			t.Errorf("an update of %d bytes: not %v", bytes, may)
		}
		both := &workflowservice.ExecuteMultiOperationRequest{
			Operations: []*workflowservice.ExecuteMultiOperationRequest_Operation{
				{Operation: &workflowservice.ExecuteMultiOperationRequest_Operation_UpdateWorkflow{UpdateWorkflow: sized(bytes)}},
			},
		}
		if p.may(t, backend, api.WorkflowServicePrefix+"ExecuteMultiOperation", both, namespace) != may {
			t.Errorf("an update of %d bytes with a start: not %v", bytes, may)
		}
	}
}

func TestEachSignalHasItsSender(t *testing.T) {
	p := newPlace(t)
	want := map[string][]string{"facts": {"relay"}, "configure": {}, "decide_by_signal": {"backend", "console", "operator"}}
	for signal, senders := range want {
		for role := range p.walls.rights {
			request := &workflowservice.SignalWorkflowExecutionRequest{SignalName: signal}
			claims := &authorization.Claims{Extensions: grants{namespace: {role}}}
			got := p.may(t, claims, api.WorkflowServicePrefix+"SignalWorkflowExecution", request, namespace)
			if got != slices.Contains(senders, role) {
				t.Errorf("%s sends %s: %v", role, signal, got)
			}
		}
	}
}

func order(change func(*workflowservice.StartWorkflowExecutionRequest)) *workflowservice.StartWorkflowExecutionRequest {
	request := &workflowservice.StartWorkflowExecutionRequest{
		WorkflowId: "order/SO1", WorkflowType: &commonpb.WorkflowType{Name: "Order"}, TaskQueue: &taskqueuepb.TaskQueue{Name: "oms"},
	}
	if change != nil {
		change(request)
	}
	return request
}

func TestAStartIsOfOneOfOurWorkflowsAndLikeAnyOther(t *testing.T) {
	p := newPlace(t)
	backend := p.claims(t, "backend")
	second := durationpb.New(time.Second)
	type start = workflowservice.StartWorkflowExecutionRequest
	wrong := map[string]func(*start){
		"another type":      func(s *start) { s.WorkflowType.Name = "Stranger" },
		"a loop":            func(s *start) { s.WorkflowType.Name = "Pull" },
		"the controls":      func(s *start) { s.WorkflowType.Name = "ChangeControls" },
		"another name":      func(s *start) { s.WorkflowId = "reconcile/daily" },
		"another queue":     func(s *start) { s.TaskQueue.Name = "mine" },
		"a task at once":    func(s *start) { s.RequestEagerExecution = true },
		"an end by time":    func(s *start) { s.WorkflowExecutionTimeout = second },
		"a run's end":       func(s *start) { s.WorkflowRunTimeout = second },
		"tasks too short":   func(s *start) { s.WorkflowTaskTimeout = second },
		"again and again":   func(s *start) { s.CronSchedule = "* * * * *" },
		"an earlier answer": func(s *start) { s.LastCompletionResult = &commonpb.Payloads{} },
		"an earlier fault":  func(s *start) { s.ContinuedFailure = &failurepb.Failure{} },
		"a skipped time":    func(s *start) { s.TimeSkippingConfig = &commonpb.TimeSkippingConfig{} },
		"another version":   func(s *start) { s.VersioningOverride = &workflowpb.VersioningOverride{} },
		"on conflict":       func(s *start) { s.OnConflictOptions = &workflowpb.OnConflictOptions{} },
		"a call back":       func(s *start) { s.CompletionCallbacks = []*commonpb.Callback{{}} },
		"ends another": func(s *start) {
			s.WorkflowIdConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
		},
		"ends another, as of old": func(s *start) {
			s.WorkflowIdReusePolicy = enumspb.WorkflowIdReusePolicy(4) //nolint:staticcheck // deprecated, and still obeyed
		},
	}
	both := func(s *start) *workflowservice.ExecuteMultiOperationRequest {
		return &workflowservice.ExecuteMultiOperationRequest{Operations: []*workflowservice.ExecuteMultiOperationRequest_Operation{
			{Operation: &workflowservice.ExecuteMultiOperationRequest_Operation_StartWorkflow{StartWorkflow: s}},
			{Operation: &workflowservice.ExecuteMultiOperationRequest_Operation_UpdateWorkflow{
				UpdateWorkflow: &workflowservice.UpdateWorkflowExecutionRequest{}}},
		}}
	}
	alone, together := api.WorkflowServicePrefix+"StartWorkflowExecution", api.WorkflowServicePrefix+"ExecuteMultiOperation"
	if !p.may(t, backend, alone, order(nil), namespace) || !p.may(t, backend, together, both(order(nil)), namespace) {
		t.Error("an order may not be started")
	}
	for what, change := range wrong {
		if p.may(t, backend, alone, order(change), namespace) || p.may(t, backend, together, both(order(change)), namespace) {
			t.Errorf("started: %s", what)
		}
	}
	// The commands' own task time of ten seconds is no harm.
	if !p.may(t, backend, alone, order(func(s *start) { s.WorkflowTaskTimeout = durationpb.New(shortestTask) }), namespace) {
		t.Error("refused: a task time as the command line gives it")
	}
	// From a worker's task, into another namespace: the request is then that task's.
	task := &workflowservice.RespondWorkflowTaskCompletedRequest{}
	if p.may(t, p.claims(t, "worker"), alone, task, namespace) {
		t.Error("started from another namespace")
	}
}

func TestTheWorkerStartsAndSetsItsLoopsOnly(t *testing.T) {
	p := newPlace(t)
	loop := &workflowservice.SignalWithStartWorkflowExecutionRequest{
		WorkflowId: "reconcile/daily", WorkflowType: &commonpb.WorkflowType{Name: "ReconcileDaily"},
		TaskQueue: &taskqueuepb.TaskQueue{Name: "oms"}, SignalName: "configure",
	}
	call := api.WorkflowServicePrefix + "SignalWithStartWorkflowExecution"
	if !p.may(t, p.claims(t, "worker"), call, loop, namespace) {
		t.Error("the worker may not set its loop")
	}
	if p.may(t, p.claims(t, "backend"), call, loop, namespace) {
		t.Error("a backend may set a loop")
	}
	loop.SignalName = "facts"
	if p.may(t, p.claims(t, "worker"), call, loop, namespace) {
		t.Error("the worker tells facts")
	}
}

func TestWhoLooksOnChangesNothingAndABackendDoesNotLookOn(t *testing.T) {
	p := newPlace(t)
	reader, backend := &authorization.Claims{Extensions: grants{namespace: {"reader"}}}, p.claims(t, "backend")
	for _, method := range workflowservice.WorkflowService_ServiceDesc.Methods {
		call := api.WorkflowServicePrefix + method.MethodName
		if authorization.IsHealthCheckAPI(call) {
			continue
		}
		reads := api.GetMethodMetadata(call).Access == api.AccessReadOnly
		if p.may(t, reader, call, nil, namespace) != reads {
			t.Errorf("the reader and %s: reads %v", method.MethodName, reads)
		}
	}
	for _, name := range []string{"GetWorkflowExecutionHistory", "GetWorkflowExecutionHistoryReverse", "ListWorkflowExecutions"} {
		if p.may(t, backend, api.WorkflowServicePrefix+name, nil, namespace) {
			t.Errorf("a backend may %s", name)
		}
	}
}

func TestATokenIsBelievedOnlyAsItWasMeant(t *testing.T) {
	p := newPlace(t)
	stranger := newSigner(t, "stranger")
	set := func(name string, value any) func(jwt.MapClaims) { return func(c jwt.MapClaims) { c[name] = value } }
	now := time.Now().Unix()
	unsigned, _ := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"iss": "services"}).
		SignedString(jwt.UnsafeAllowNoneSignatureType)
	wrong := map[string]*authorization.AuthInfo{
		"a stranger's key":          brought(stranger.token(t, "services", nil), "worker"),
		"nobody's signature":        brought(unsigned, "worker"),
		"another process's":         brought(p.services.token(t, "services", nil), "relay"),
		"without a certificate":     {AuthToken: "Bearer " + p.services.token(t, "services", nil)},
		"of another audience":       brought(p.services.token(t, "services", set("aud", "elsewhere")), "worker"),
		"of an unknown issuer":      brought(p.services.token(t, "services", set("iss", "x")), "worker"),
		"of the people's issuer":    brought(p.services.token(t, "services", set("iss", "people")), "worker"),
		"ended":                     brought(p.services.token(t, "services", set("exp", now-1)), "worker"),
		"without an end":            brought(p.services.token(t, "services", func(c jwt.MapClaims) { delete(c, "exp") }), "worker"),
		"without a beginning":       brought(p.services.token(t, "services", func(c jwt.MapClaims) { delete(c, "iat") }), "worker"),
		"made tomorrow":             brought(p.services.token(t, "services", set("iat", now+86400)), "worker"),
		"alive for years":           brought(p.services.token(t, "services", set("exp", now+10*365*86400)), "worker"),
		"of nobody":                 brought(p.services.token(t, "services", func(c jwt.MapClaims) { delete(c, "sub") }), "worker"),
		"no bearer's":               {AuthToken: "Basic " + p.services.token(t, "services", nil), TLSSubject: &pkix.Name{CommonName: "worker"}},
		"not three parts of a word": brought("worker", "worker"),
	}
	for what, info := range wrong {
		if claims, err := p.walls.GetClaims(info); err == nil {
			t.Errorf("believed: a token %s: %+v", what, claims)
		}
	}
	if _, err := p.walls.GetClaims(brought(p.services.token(t, "services", nil), "worker")); err != nil {
		t.Errorf("not believed: %v", err)
	}
	certificate := &authorization.AuthInfo{TLSSubject: &pkix.Name{CommonName: "worker"}}
	claims, err := p.walls.GetClaims(certificate)
	if err != nil || p.may(t, claims, api.WorkflowServicePrefix+"PollWorkflowTaskQueue", nil, namespace) {
		t.Error("a certificate alone polls")
	}
	if !p.may(t, claims, api.WorkflowServicePrefix+"GetSystemInfo", nil, "") {
		t.Error("health has to be told to everybody with a certificate")
	}
}

func TestKeysThatSignForPeopleMakeNoWorkerAndNoKeeper(t *testing.T) {
	p := newPlace(t)
	person := func(change func(jwt.MapClaims)) *authorization.Claims {
		token := p.people.token(t, "people", func(c jwt.MapClaims) {
			c["iss"], c["aud"], c["sub"] = "people", "web-ui", "u-ops"
			c["permissions"] = []string{namespace + ":worker", everywhere + ":keeper"}
			c["realm"] = map[string]any{"roles": []string{"temporal-readers", "worker"}}
			if change != nil {
				change(c)
			}
		})
		claims, err := p.walls.GetClaims(brought(token, "web-ui"))
		if err != nil {
			t.Fatal(err)
		}
		return claims
	}
	claims := person(nil)
	if claims.System != authorization.RoleUndefined || !slices.Equal(claims.Extensions.(grants)[namespace], []string{"reader"}) {
		t.Errorf("a person got %+v", claims)
	}
	nobody := person(func(c jwt.MapClaims) { c["realm"] = "roles" })
	if p.may(t, nobody, api.WorkflowServicePrefix+"ListWorkflowExecutions", nil, namespace) {
		t.Error("a person without a role looks on")
	}
	keeps := p.services.token(t, "services", func(c jwt.MapClaims) {
		c["sub"], c["permissions"] = "keeper", []string{everywhere + ":keeper"}
	})
	made, err := p.walls.GetClaims(brought(keeps, "keeper"))
	if err != nil || made.System != authorization.RoleAdmin {
		t.Error("the keeper keeps nothing")
	}
	if p.claims(t, "keeper").System != authorization.RoleUndefined {
		t.Error("a keeper of one namespace keeps all")
	}
}

func TestAFileOfWallsThatSaysTooLittleStartsNoServer(t *testing.T) {
	whole := `{issuer: a, audience: b, keys: "file:/nowhere", certificate: subject, longest_life: 1h, roles: [worker]}`
	wrong := map[string]string{
		"nobody":               "issuers: []",
		"an unknown word":      "issuers: [" + strings.Replace(whole, "roles", "rights", 1) + "]",
		"an unknown role":      "issuers: [" + strings.Replace(whole, "[worker]", "[root]", 1) + "]",
		"keys in the clear":    "issuers: [" + strings.Replace(whole, "file:/nowhere", "http://idp", 1) + "]",
		"no life":              "issuers: [" + strings.Replace(whole, "longest_life: 1h,", "", 1) + "]",
		"whoever brings it":    "issuers: [" + strings.Replace(whole, "certificate: subject,", "", 1) + "]",
		"two of a name":        "issuers: [" + whole + "," + whole + "]",
		"words without claim":  "issuers: [" + strings.Replace(whole, "roles: [worker]", "roles: [worker], words: {a: worker}", 1) + "]",
		"a word above its own": "issuers: [" + strings.Replace(whole, "roles: [worker]", "roles: [worker], claim: c, namespace: n, words: {a: relay}", 1) + "]",
	}
	for what, content := range wrong {
		file := filepath.Join(t.TempDir(), "walls.yaml")
		_ = os.WriteFile(file, []byte(content), 0o600)
		if _, err := ReadWalls(file, log.NewNoopLogger()); err == nil {
			t.Errorf("taken: %s", what)
		}
	}
	t.Setenv(wallsFile, "")
	if _, err := guard(log.NewNoopLogger()); err == nil {
		t.Error("a server without walls")
	}
}

func TestAServerWithoutClientCertificatesDoesNotStart(t *testing.T) {
	group := func(file string) config.GroupTLS {
		return config.GroupTLS{Server: config.ServerTLS{RequireClientAuth: true, ClientCAFiles: []string{file}}}
	}
	whole := func() *config.Config {
		return &config.Config{Global: config.Global{TLS: config.RootTLS{Frontend: group("clients"), Internode: group("nodes")}}}
	}
	if err := insistOnCertificates(whole()); err != nil {
		t.Error(err)
	}
	for what, change := range map[string]func(*config.RootTLS){
		"open to clients": func(c *config.RootTLS) { c.Frontend.Server.RequireClientAuth = false },
		"open to nodes":   func(c *config.RootTLS) { c.Internode.Server.RequireClientAuth = false },
		"nobody's":        func(c *config.RootTLS) { c.Internode.Server.ClientCAFiles = nil },
		"one for both":    func(c *config.RootTLS) { c.Frontend.Server.ClientCAFiles = []string{"nodes"} },
	} {
		cfg := whole()
		change(&cfg.Global.TLS)
		if insistOnCertificates(cfg) == nil {
			t.Errorf("started: %s", what)
		}
	}
}
