// Goroutines, maps, closures, recovered panics, files, the collector under load.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"sort"
	"strings"
	"sync"
)

type node struct {
	left, right *node
	value       int
}

func (n *node) insert(v int) *node {
	if n == nil {
		return &node{value: v}
	}
	if v < n.value {
		n.left = n.left.insert(v)
	} else {
		n.right = n.right.insert(v)
	}
	return n
}

func (n *node) sum() int {
	if n == nil {
		return 0
	}
	return n.left.sum() + n.value + n.right.sum()
}

func pipeline(n int) int {
	squares := make(chan int)
	var wg sync.WaitGroup
	for w := 0; w < 4; w++ {
		wg.Add(1)
		go func(w int) {
			defer wg.Done()
			for i := w; i < n; i += 4 {
				squares <- i * i
			}
		}(w)
	}
	go func() { wg.Wait(); close(squares) }()
	total := 0
	for s := range squares {
		total += s
	}
	return total
}

func recovered() (message string) {
	defer func() { message = fmt.Sprint(recover()) }()
	var empty []int
	return fmt.Sprint(empty[len(os.Args)+5])
}

func main() {
	fmt.Println("pipeline", pipeline(1000))
	words := map[string]int{}
	for _, w := range strings.Fields("one two three two three three") {
		words[w]++
	}
	keys := make([]string, 0, len(words))
	for k := range words {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Println(k, words[k])
	}
	var tree *node
	x := uint32(12345)
	for i := 0; i < 20000; i++ {
		x = x*1664525 + 1013904223
		tree = tree.insert(int(x >> 8))
	}
	fmt.Println("tree", tree.sum())
	fact := big.NewInt(1)
	for i := int64(2); i <= 60; i++ {
		fact.Mul(fact, big.NewInt(i))
	}
	fmt.Println("60!", fact)
	fmt.Printf("%.15g %v %v\n", math.Sin(1e3), math.Inf(-1), math.NaN())
	out, err := json.Marshal(map[string]any{"list": []int{1, 2, 3}, "text": "a\"b", "none": nil})
	fmt.Println(string(out), err)
	fmt.Println("recovered:", strings.Split(recovered(), "[")[0])
	for i := 0; i < 200; i++ {
		_ = make([]byte, 1<<20)
	}
	if err := os.WriteFile("go_lines.txt", []byte("first\nsecond\nthird\n"), 0o600); err != nil {
		fmt.Println(err)
	}
	f, err := os.Open("go_lines.txt")
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	for s := bufio.NewScanner(f); s.Scan(); {
		fmt.Println("line", s.Text())
	}
	f.Close()
	fmt.Println(os.Remove("go_lines.txt"))
	os.Exit(9)
}
