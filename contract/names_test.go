package contract_test

import (
	"regexp"
	"strings"
	"testing"

	"runnel/contract"
)

// contract: IMG-13 ATK-38
func TestCheckJobName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "a1", "a-b", "migrate-job", strings.Repeat("a", 49), "a" + strings.Repeat("-", 47) + "1"} {
		if err := contract.CheckJobName(name); err != nil {
			t.Errorf("CheckJobName(%q) = %v", name, err)
		}
	}
	for _, name := range []string{
		"", "1a", "-a", "a-", "A", "aB", "a_b", "a.b", "a b", "a/b", "é", "a\n", "$(id)", "a%s", strings.Repeat("a", 50),
	} {
		if err := contract.CheckJobName(name); err == nil {
			t.Errorf("CheckJobName(%q) accepts it", name)
		}
	}
}

// contract: ENV-6
func TestExecutionAndTaskNames(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^migrate-[a-z0-9]{5}$`)
	for b := range 256 {
		name := contract.ExecutionName("migrate", [5]byte{byte(b), 0, 255, byte(255 - b), 7})
		if !form.MatchString(name) {
			t.Fatalf("ExecutionName = %q", name)
		}
	}
	a, b := contract.ExecutionName("j", [5]byte{0, 1, 2, 3, 4}), contract.ExecutionName("j", [5]byte{0, 1, 2, 3, 5})
	if a != "j-abcde" || b != "j-abcdf" {
		t.Errorf("ExecutionName = %q, %q", a, b)
	}
	if got := contract.TaskName("migrate-job-b5s8r", 0); got != "migrate-job-b5s8r-task0" {
		t.Errorf("TaskName = %q", got)
	}
	if got := contract.TaskName("j-abcde", 9999); got != "j-abcde-task9999" {
		t.Errorf("TaskName = %q", got)
	}
}
