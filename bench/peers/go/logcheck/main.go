// Logcheck verifies a log with the public libraries only: golang.org/x/mod/sumdb/note and tlog, and github.com/transparency-dev/merkle.
// It knows nothing of what the entries mean.
//
// Usage: logcheck LOG VKEYS [PROOF…]
//
// LOG is a folder with checkpoint and tile/. VKEYS is a file of verifier keys, one a line; those that sumdb/note does not know (ML-DSA) are left
// out. A PROOF is a tlog-proof of the log, or a consistency proof as JSON with size1, size2, root1, root2 and proof.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type checkpoint struct {
	origin string
	size   int64
	root   tlog.Hash
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: logcheck LOG VKEYS [PROOF…]")
	}
	dir := os.Args[1]
	verifiers := read(os.Args[2])
	var known []note.Verifier
	for _, key := range strings.Fields(string(verifiers)) {
		if v, err := note.NewVerifier(key); err == nil {
			known = append(known, v)
		}
	}
	if len(known) == 0 {
		log.Fatal("no key that golang.org/x/mod/sumdb/note knows")
	}
	head := open(read(filepath.Join(dir, "checkpoint")), known)
	leaves := replay(dir, head)
	checkTiles(dir, head, leaves)
	for _, file := range os.Args[3:] {
		if strings.HasSuffix(file, ".json") {
			checkConsistency(file)
		} else {
			checkProof(file, head, known, leaves)
		}
	}
	fmt.Printf("%s: %d entries, root and tiles hold; %d proof files hold\n", head.origin, head.size, len(os.Args)-3)
}

// open verifies a signed note and reads it as a checkpoint.
func open(data []byte, known []note.Verifier) checkpoint {
	n, err := note.Open(data, note.VerifierList(known...))
	check(err)
	if len(n.Sigs) != len(known) {
		log.Fatalf("%d of %d keys have signed", len(n.Sigs), len(known))
	}
	lines := strings.Split(n.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	check(err)
	return checkpoint{lines[0], size, tlog.Hash(root)}
}

// replay hashes all entries, and compares the root by two libraries with the checkpoint's.
func replay(dir string, head checkpoint) []tlog.Hash {
	var leaves []tlog.Hash
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	tree := factory.NewEmptyRange(0)
	for n := int64(0); n*256 < head.size; n++ {
		width := min(256, head.size-n*256)
		data := read(filepath.Join(dir, "tile", "entries", name(n, width)))
		for i := int64(0); i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				log.Fatalf("bundle %d ends in the middle of entry %d", n, i)
			}
			entry := data[2 : 2+binary.BigEndian.Uint16(data)]
			data = data[2+len(entry):]
			leaf := rfc6962.DefaultHasher.HashLeaf(entry)
			if !bytes.Equal(leaf, hash(tlog.RecordHash(entry))) {
				log.Fatalf("the two libraries hash entry %d differently", n*256+i)
			}
			leaves = append(leaves, tlog.Hash(leaf))
			check(tree.Append(leaf, nil))
		}
		if len(data) != 0 {
			log.Fatalf("bundle %d is too long", n)
		}
	}
	root, err := tree.GetRootHash(nil)
	check(err)
	if !bytes.Equal(root, head.root[:]) {
		log.Fatalf("the entries' root is %x, the checkpoint's %x", root, head.root)
	}
	return leaves
}

// checkTiles proves entries and earlier sizes from the tiles alone, each tile being verified against the root.
func checkTiles(dir string, head checkpoint, leaves []tlog.Hash) {
	reader := tlog.TileHashReader(tlog.Tree{N: head.size, Hash: head.root}, tiles{dir})
	root, err := tlog.TreeHash(head.size, reader)
	check(err)
	if root != head.root {
		log.Fatal("the tiles have another root")
	}
	for _, index := range some(head.size - 1) {
		path, err := tlog.ProveRecord(head.size, index, reader)
		check(err)
		check(tlog.CheckRecord(path, head.size, head.root, index, leaves[index]))
		check(proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), uint64(head.size), hash(leaves[index]), hashes(path), hash(head.root)))
	}
	for _, size := range some(head.size - 1) {
		size++
		before, err := tlog.TreeHash(size, reader)
		check(err)
		path, err := tlog.ProveTree(head.size, size, reader)
		check(err)
		check(tlog.CheckTree(path, head.size, head.root, size, before))
		check(proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(size), uint64(head.size), hashes(path), hash(before), hash(head.root)))
	}
	for level := 0; head.size>>(height*level) > 0; level++ { // every tile, also those that no proof above needed
		count := head.size >> (height * level)
		for n := int64(0); n*256 < count; n++ {
			width := min(256, count-n*256)
			data := read(filepath.Join(dir, "tile", strconv.Itoa(level), name(n, width)))
			if level == 0 {
				for i := int64(0); i < width; i++ {
					if !bytes.Equal(data[32*i:32*i+32], hash(leaves[n*256+i])) {
						log.Fatalf("tile 0/%d: hash %d is not its entry's", n, i)
					}
				}
			}
			tile := tlog.Tile{H: height, L: level, N: n, W: int(width)}
			var indexes []int64
			for i := range width {
				indexes = append(indexes, tlog.StoredHashIndex(level*height, n*256+i))
			}
			want, err := reader.ReadHashes(indexes) // each verified against the root
			check(err)
			for i, index := range indexes {
				stored, err := tlog.HashFromTile(tile, data, index)
				check(err)
				if stored != want[i] {
					log.Fatalf("tile %d/%d: hash %d differs", level, n, i)
				}
			}
		}
	}
}

// checkProof verifies a tlog-proof: the signatures, and the inclusion of the leaf that the log has there.
func checkProof(file string, head checkpoint, known []note.Verifier, leaves []tlog.Hash) {
	body, signed, found := bytes.Cut(read(file), []byte("\n\n"))
	if !found {
		log.Fatalf("%s has no checkpoint", file)
	}
	then := open(signed, known)
	lines := strings.Split(string(body), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		log.Fatalf("%s is no tlog-proof", file)
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	text, found := strings.CutPrefix(lines[0], "index ")
	if !found {
		log.Fatalf("%s has no index", file)
	}
	index, err := strconv.ParseInt(text, 10, 64)
	check(err)
	var path tlog.RecordProof
	for _, line := range lines[1:] {
		sibling, err := base64.StdEncoding.Strict().DecodeString(line)
		check(err)
		path = append(path, tlog.Hash(sibling))
	}
	if then.size > head.size {
		log.Fatalf("%s is of a later log", file)
	}
	check(tlog.CheckRecord(path, then.size, then.root, index, leaves[index]))
	check(proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), uint64(then.size), hash(leaves[index]), hashes(path), hash(then.root)))
}

// checkConsistency verifies what `ledger consistency --json` printed.
func checkConsistency(file string) {
	var c struct {
		Size1, Size2 int64
		Root1, Root2 []byte
		Proof        [][]byte
	}
	check(json.Unmarshal(read(file), &c))
	var path tlog.TreeProof
	for _, sibling := range c.Proof {
		path = append(path, tlog.Hash(sibling))
	}
	check(tlog.CheckTree(path, c.Size2, tlog.Hash(c.Root2), c.Size1, tlog.Hash(c.Root1)))
	check(proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(c.Size1), uint64(c.Size2), c.Proof, c.Root1, c.Root2))
}

// tiles reads the tiles of a tlog-tiles folder.
type tiles struct{ dir string }

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range wanted {
		one, err := os.ReadFile(filepath.Join(t.dir, "tile", strconv.Itoa(tile.L), name(tile.N, int64(tile.W))))
		if errors.Is(err, os.ErrNotExist) && tile.W < 256 { // a wider one stands there
			one, err = os.ReadFile(filepath.Join(t.dir, "tile", strconv.Itoa(tile.L), name(tile.N, 256)))
			if err == nil {
				one = one[:tile.W*tlog.HashSize]
			}
		}
		if err != nil {
			return nil, err
		}
		data = append(data, one)
	}
	return data, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// name is the path of a tile or bundle below its level.
func name(n, width int64) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if width < 256 {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

// some picks numbers from 0 to last: all of a few, else the edges and some between.
func some(last int64) []int64 {
	var numbers []int64
	for n := int64(0); n <= last; n++ {
		if last < 600 || n < 3 || n > last-3 || n%257 == 0 && n%3 == 0 || n&(n-1) == 0 {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func hash(h tlog.Hash) []byte { return h[:] }

func hashes(path []tlog.Hash) [][]byte {
	var all [][]byte
	for i := range path {
		all = append(all, path[i][:])
	}
	return all
}

func read(file string) []byte {
	data, err := os.ReadFile(file)
	check(err)
	return data
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
