// The Temporal server of this product: the server's own code with walls in front of it (walls.go, rights.yaml).
//
//	orders-temporal schema                      both databases are made or brought up to this version
//	orders-temporal start --config server.yaml  all services of a cluster in one process
//	orders-temporal check                       reads the walls' file and the rights, says what is wrong with them
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	_ "time/tzdata"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	_ "go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql" // the only store that is set up here
	"go.temporal.io/server/temporal"
	"go.temporal.io/server/tools/sql"
)

// Frontend is for clients, who have to show who they are; the server's own services use internal-frontend, which only
// a certificate of a node opens.
var services = []string{"frontend", "internal-frontend", "history", "matching", "worker"}

const wallsFile = "OMS_TEMPORAL_WALLS"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "orders-temporal: %v\n", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	switch {
	case len(words) == 1 && words[0] == "schema":
		return schema()
	case len(words) == 3 && words[0] == "start" && words[1] == "--config":
		return start(words[2])
	case len(words) == 1 && words[0] == "check":
		_, err := guard(log.NewNoopLogger())
		return err
	}
	return errors.New("one of: schema, start --config FILE, check")
}

func start(file string) error {
	password, err := databasePassword()
	if err != nil {
		return err
	}
	if err := os.Setenv("POSTGRES_PWD", password); err != nil {
		return err
	}
	cfg, err := config.Load(config.WithConfigFile(file))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := insistOnCertificates(cfg); err != nil {
		return err
	}
	logger := log.NewZapLogger(log.BuildZapLogger(cfg.Log))
	walls, err := guard(logger)
	if err != nil {
		return err
	}
	server, err := temporal.NewServer(
		temporal.ForServices(services),
		temporal.WithConfig(cfg),
		temporal.WithLogger(logger),
		temporal.InterruptOn(temporal.InterruptCh()),
		temporal.WithAuthorizer(walls),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return walls }),
	)
	if err != nil {
		return err
	}
	return server.Start()
}

func guard(logger log.Logger) (*Walls, error) {
	file := os.Getenv(wallsFile)
	if file == "" {
		return nil, fmt.Errorf("%s is not set: without it everybody would be administrator", wallsFile)
	}
	return ReadWalls(file, logger)
}

// Without client certificates the server's own services could be called by whoever reaches their ports, as administrator.
func insistOnCertificates(cfg *config.Config) error {
	for name, group := range map[string]config.GroupTLS{
		"frontend": cfg.Global.TLS.Frontend, "internode": cfg.Global.TLS.Internode,
	} {
		if !group.Server.RequireClientAuth || len(group.Server.ClientCAFiles) == 0 {
			return fmt.Errorf("global.tls.%s.server asks for no client certificates: it has to", name)
		}
	}
	for _, mine := range cfg.Global.TLS.Internode.Server.ClientCAFiles {
		for _, others := range cfg.Global.TLS.Frontend.Server.ClientCAFiles {
			if mine == others {
				return fmt.Errorf("%s signs both clients and nodes: a client's certificate would open every node", mine)
			}
		}
	}
	return nil
}

func databasePassword() (string, error) {
	file := os.Getenv("OMS_TEMPORAL_DATABASE_PASSWORD_FILE")
	if file == "" {
		return "", errors.New("OMS_TEMPORAL_DATABASE_PASSWORD_FILE is not set: the file with the database's password")
	}
	content, err := os.ReadFile(file)
	return strings.TrimSpace(string(content)), err
}

// Waits for the database, then leaves both at this version's schema; harmless when they are.
func schema() error {
	password, err := databasePassword()
	if err != nil {
		return err
	}
	if err := os.Setenv("SQL_PASSWORD", password); err != nil {
		return err
	}
	for database, name := range map[string]string{"temporal": "temporal", "temporal_visibility": "visibility"} {
		tool := func(words ...string) error {
			where := []string{"temporal-sql-tool", "--plugin", "postgres12", "--endpoint", or("POSTGRES_HOST", "postgres"),
				"--port", or("POSTGRES_PORT", "5432"), "--user", or("POSTGRES_USER", "temporal"), "--database", database}
			return sql.RunTool(append(where, words...))
		}
		// Fails where there is one; the tool has no word for "if there is none", and a real fault fails the next step.
		_ = tool("--quiet", "setup-schema", "--version", "0.0")
		if err := tool("update-schema", "--schema-name", "postgresql/v12/"+name); err != nil {
			return fmt.Errorf("schema of %s: %w", database, err)
		}
	}
	return nil
}

func or(name, usual string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return usual
}

const refreshKeys = time.Minute
