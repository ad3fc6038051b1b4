package image

import (
	"encoding/json"
	"fmt"
)

// configFile is an image's configuration document.
type configFile struct {
	platform
	Config imageConfig `json:"config"`
	RootFS struct {
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
}

// imageConfig is the part of it that says how to run the image.
type imageConfig struct {
	User       string      `json:"User"`
	Env        []string    `json:"Env"`
	Entrypoint commandLine `json:"Entrypoint"`
	Cmd        commandLine `json:"Cmd"`
	WorkingDir string      `json:"WorkingDir"`
}

func (c imageConfig) export() Config {
	return Config{
		Entrypoint: c.Entrypoint, Cmd: c.Cmd, Env: c.Env,
		WorkingDir: c.WorkingDir, User: c.User,
	}
}

// imported is the other way round.
func imported(c Config) imageConfig {
	return imageConfig{
		Entrypoint: c.Entrypoint, Cmd: c.Cmd, Env: c.Env,
		WorkingDir: c.WorkingDir, User: c.User,
	}
}

// commandLine is a list of words; images of Docker's first years hold a single
// string instead.
type commandLine []string

// UnmarshalJSON takes both forms.
func (c *commandLine) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*c = nil
		if one != "" {
			*c = commandLine{one}
		}
		return nil
	}
	var words []string
	if err := json.Unmarshal(b, &words); err != nil {
		return err
	}
	*c = words
	return nil
}

// readConfig parses a configuration whose digest has been checked.
func readConfig(raw []byte) (configFile, []digest, error) {
	var c configFile
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, nil, fmt.Errorf("%w: configuration: %s", ErrInvalidManifest, oneLine(err.Error()))
	}
	if err := c.platform.check(); err != nil {
		return c, nil, err
	}
	if len(c.RootFS.DiffIDs) > maxLayers {
		return c, nil, fmt.Errorf("%w: %d layers, overlayfs stacks %d", ErrTooLarge, len(c.RootFS.DiffIDs), maxLayers)
	}
	diffIDs := make([]digest, len(c.RootFS.DiffIDs))
	for i, s := range c.RootFS.DiffIDs {
		d, err := parseDigest(s)
		if err != nil {
			return c, nil, fmt.Errorf("%w: diff ID %d: %v", ErrInvalidManifest, i, err)
		}
		diffIDs[i] = d
	}
	return c, diffIDs, nil
}

func isConfigMediaType(s string) bool { return s == mediaOCIConfig || s == mediaDockerConfig }
