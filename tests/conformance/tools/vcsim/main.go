// SPDX-FileCopyrightText: 2026 directpath.vsphere contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// The reference simulator of govmomi: one datacenter, one cluster of three hosts, two VMs. Prints its URL, then
// serves until its standard input is closed.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"os"

	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator" // the REST endpoint with its tags
)

func main() {
	model := simulator.VPX()
	model.Host = 0
	if err := model.Create(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer model.Remove()
	model.Service.TLS = new(tls.Config)
	model.Service.RegisterEndpoints = true
	server := model.Service.NewServer()
	defer server.Close()
	fmt.Println(server.URL.String())
	_, _ = io.Copy(io.Discard, os.Stdin)
}
