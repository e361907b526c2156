// Holds Ascribe's witness and its client against transparency-dev/witness, the reference implementation of C2SP tlog-witness.
//
//	go run . serve LOG-VKEY                                    a public witness; prints its address and its two verifier keys
//	go run . submit URL OLD CHECKPOINT PROOF LOG-VKEY VKEY     asks a witness by the public client; prints what it cosigned
package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	fnote "github.com/transparency-dev/formats/note"
	client "github.com/transparency-dev/witness/client/http"
	"github.com/transparency-dev/witness/persistence/inmemory"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
)

const name = "example.com/public-witness"

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "serve":
		serve(os.Args[2])
	case len(os.Args) == 8 && os.Args[1] == "submit":
		submit(os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6], os.Args[7])
	default:
		log.Fatal("serve LOG-VKEY, or submit URL OLD CHECKPOINT PROOF LOG-VKEY VKEY")
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func serve(logKey string) {
	ctx := context.Background()
	verifier := must(note.NewVerifier(logKey))
	secret, public, err := fnote.GenerateMLDSAKey(name)
	if err != nil {
		log.Fatal(err)
	}
	plainSecret, plainPublic, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		log.Fatal(err)
	}
	w := must(witness.New(ctx, witness.Opts{
		Persistence: inmemory.New(),
		Signers:     []note.Signer{must(fnote.NewMLDSASigner(secret)), must(fnote.NewSignerForCosignatureV1(plainSecret))},
		VerifierForLog: func(_ context.Context, origin string) (note.Verifier, bool, error) {
			return verifier, origin == verifier.Name(), nil
		},
	}))
	http.HandleFunc("POST /add-checkpoint", witness.NewHTTPHandler(w).AddCheckpoint)
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	fmt.Printf("http://%s\n%s\n%s\n", listener.Addr(), public, cosigner(plainPublic))
	log.Fatal(http.Serve(listener, nil))
}

// cosigner is an Ed25519 key as cosignatures name it: type 04 and a key ID of its own.
func cosigner(vkey string) string {
	return must(fnote.VKeyToCosignatureV1(vkey))
}

func submit(address, old, checkpoint, proofFile, logKey, vkey string) {
	var proof [][]byte
	for _, line := range strings.Fields(string(must(os.ReadFile(proofFile)))) {
		proof = append(proof, must(base64.StdEncoding.DecodeString(line)))
	}
	raw := must(os.ReadFile(checkpoint))
	w := client.NewWitness(must(url.Parse(address)), http.DefaultClient)
	lines, size, err := w.Update(context.Background(), must(strconv.ParseUint(old, 10, 64)), raw, proof)
	if err != nil {
		fmt.Printf("refused: %v, size %d\n", err, size)
		return
	}
	verifiers := note.VerifierList(must(note.NewVerifier(logKey)), must(fnote.NewMLDSAVerifier(vkey)))
	opened := must(note.Open(append(raw, lines...), verifiers))
	for _, signature := range opened.Sigs {
		if signature.Name == strings.Split(vkey, "+")[0] && !must(fnote.CoSigV1Timestamp(signature)).IsZero() {
			fmt.Printf("cosigned by %s %s\n", signature.Name, hex.EncodeToString(must(base64.StdEncoding.DecodeString(signature.Base64))[:4]))
		}
	}
}
