package certs

import "crypto/tls"

// Load is the configuration of a server with the certificate chain and the key
// in two PEM files.
func Load(certFile, keyFile string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	return serverTLS(pair), nil
}

// serverTLS is the configuration of a server with one certificate.
func serverTLS(pair tls.Certificate) *tls.Config {
	config := baseTLS()
	config.Certificates = []tls.Certificate{pair}
	return config
}

// baseTLS is what all servers have in common.
func baseTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}
