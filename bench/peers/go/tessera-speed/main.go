// Tessera-speed appends entries to a Tessera log on POSIX storage, a group at a time: a group is added whole, and the next begins when
// every entry of it is durable. Tessera syncs what it writes before it gives out an index.
//
// Usage: tessera-speed DIR GROUP ENTRIES BYTES
package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 5 {
		log.Fatal("usage: tessera-speed DIR GROUP ENTRIES BYTES")
	}
	group, entries, size := number(os.Args[2]), number(os.Args[3]), number(os.Args[4])
	ctx := context.Background()
	secret, _, err := note.GenerateKey(rand.Reader, "example.com/tessera")
	check(err)
	signer, err := note.NewSigner(secret)
	check(err)
	driver, err := posix.New(ctx, posix.Config{Path: os.Args[1]})
	check(err)
	appender, shutdown, _, err := tessera.NewAppender(ctx, driver, tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithBatching(uint(group), 50*time.Millisecond).
		WithPushback(uint(4*group)).
		WithCheckpointInterval(time.Second))
	check(err)
	var made uint64
	run := func(entries int) []float64 {
		var millis []float64
		for done := 0; done < entries; done += group {
			data := make([][]byte, group)
			for i := range data {
				data[i] = make([]byte, size)
				made++
				binary.BigEndian.PutUint64(data[i], made)
				_, err := rand.Read(data[i][8:])
				check(err)
			}
			started := time.Now()
			futures := make([]tessera.IndexFuture, group)
			for i := range data {
				futures[i] = appender.Add(ctx, tessera.NewEntry(data[i]))
			}
			for _, future := range futures {
				_, err := future()
				check(err)
			}
			millis = append(millis, float64(time.Since(started).Microseconds())/1000)
		}
		return millis
	}
	run(max(group, entries/10))
	started := time.Now()
	millis := run(entries)
	seconds := time.Since(started).Seconds()
	sort.Float64s(millis)
	fmt.Printf("tessera: groups of %d: %.0f entries/s durable (%d in %.2f s), group median %.2f ms, 99%% %.2f ms\n",
		group, float64(len(millis)*group)/seconds, len(millis)*group, seconds, millis[len(millis)/2], millis[len(millis)*99/100])
	check(shutdown(ctx))
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
