package v1_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/run/apiv2/runpb"
	apipb "google.golang.org/genproto/googleapis/api"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"sigs.k8s.io/yaml"

	v1 "runnel/api/v1"
)

func TestConversionsOfWorkerPoolsLoseNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		pool := random{rand.New(rand.NewPCG(seed, 7))}.pool()
		text, err := json.Marshal(v1.FormatWorkerPool(pool, v1.Options{Namespace: number}))
		if err != nil {
			t.Fatal(err)
		}
		got, err := v1.ParseWorkerPool(text)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		want := proto.CloneOf(pool)
		want.Name = "w"
		want.Uid, want.Generation, want.CreateTime, want.UpdateTime, want.Creator = "", 0, nil, nil, ""
		if !proto.Equal(got, want) {
			t.Fatalf("seed %d:\n%v\nis\n%s\nand again\n%v", seed, want, text, got)
		}
		exported, err := yaml.Marshal(v1.FormatWorkerPool(pool, v1.Options{Namespace: number, Export: true}))
		if err != nil {
			t.Fatal(err)
		}
		for _, whose := range []string{number, "someone", "status"} {
			if strings.Contains(string(exported), whose) {
				t.Fatalf("seed %d: the export says %s:\n%s", seed, whose, exported)
			}
		}
		if got, err = v1.ParseWorkerPool(exported); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, exported)
		}
		if again, err := yaml.Marshal(v1.FormatWorkerPool(got, v1.Options{Export: true})); err != nil || !bytes.Equal(again, exported) {
			t.Fatalf("seed %d: exported\n%s\nand again\n%s\n%v", seed, exported, again, err)
		}
	}
}

// pool is a stored worker pool with all that v1 and v2 both know.
func (r random) pool() *runpb.WorkerPool {
	t := r.template()
	w := &runpb.WorkerPool{
		Name: "projects/p/locations/l/workerPools/w", Uid: "u", Generation: 3, CreateTime: timestamppb.Now(), UpdateTime: timestamppb.Now(),
		Creator: "someone", Labels: r.texts("a", "b"), Annotations: r.texts("c", "example.com/d"), Description: r.some("what it: is"),
		Client: r.some("gcloud"), ClientVersion: r.some("578.0.0"), LaunchStage: apipb.LaunchStage(r.IntN(5)),
		Template: &runpb.WorkerPoolRevisionTemplate{
			Revision: t.Revision, Labels: t.Labels, Annotations: t.Annotations, ServiceAccount: t.ServiceAccount, EncryptionKey: t.EncryptionKey,
			EncryptionKeyRevocationAction: t.EncryptionKeyRevocationAction, EncryptionKeyShutdownDuration: t.EncryptionKeyShutdownDuration,
			GpuZonalRedundancyDisabled: t.GpuZonalRedundancyDisabled, VpcAccess: t.VpcAccess, Volumes: t.Volumes, Containers: t.Containers,
		},
	}
	for _, c := range w.Template.Containers {
		c.Ports, c.ReadinessProbe, c.Resources.CpuIdle = nil, nil, false
		if c.Resources.Limits == nil && !c.Resources.StartupCpuBoost {
			c.Resources = nil // v1 does not tell the two apart
		}
	}
	if r.IntN(2) == 0 {
		w.Scaling = &runpb.WorkerPoolScaling{ManualInstanceCount: proto.Int32(r.Int32N(3))}
		w.BinaryAuthorization = &runpb.BinaryAuthorization{BinauthzMethod: &runpb.BinaryAuthorization_Policy{Policy: "p"}}
	}
	for i := range r.IntN(3) {
		split := &runpb.InstanceSplit{Type: runpb.InstanceSplitAllocationType(1 + r.IntN(2)), Percent: r.Int32N(100)}
		if split.Type == runpb.InstanceSplitAllocationType_INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION {
			split.Revision = fmt.Sprint("w-", i)
		}
		w.InstanceSplits = append(w.InstanceSplits, split)
	}
	return w
}

func FuzzParseWorkerPool(f *testing.F) {
	for _, name := range []string{"workerpool.yaml", "workerpool.golden.yaml", "service.yaml"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		pool, err := v1.ParseWorkerPool(data)
		if err != nil {
			if pool != nil {
				t.Errorf("a worker pool and %v", err)
			}
			return
		}
		if v1.ValidateWorkerPool(pool) != nil {
			return
		}
		text, err := yaml.Marshal(v1.FormatWorkerPool(pool, v1.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		again, err := v1.ParseWorkerPool(text)
		if err != nil {
			t.Fatalf("%v in what FormatWorkerPool wrote:\n%s", err, text)
		}
		if twice, err := yaml.Marshal(v1.FormatWorkerPool(again, v1.Options{})); err != nil || !bytes.Equal(twice, text) {
			t.Fatalf("written twice:\n%s\nwas\n%s\n%v", twice, text, err)
		}
	})
}
