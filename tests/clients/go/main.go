// The story that every client tells, with go-redis: see ../README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

var ctx = context.Background()

func client(name string) *redis.Client {
	protocol, _ := strconv.Atoi(os.Args[2])
	return redis.NewClient(&redis.Options{
		Addr: "127.0.0.1:" + os.Args[1], ClientName: name, Protocol: protocol, PoolSize: 1,
	})
}

func say(name string, answer any) { fmt.Printf("%s: %v\n", name, answer) }

func said(answer any, err error) string {
	if err != nil {
		return "error " + err.Error()
	}
	return fmt.Sprint(answer)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func entries(messages []redis.XMessage) string {
	var words []string
	for _, message := range messages {
		words = append(words, fmt.Sprintf("%s=%v", message.ID, message.Values["n"]))
	}
	if words == nil {
		return "none"
	}
	return strings.Join(words, " ")
}

func read(streams []redis.XStream, err error) string {
	if errors.Is(err, redis.Nil) {
		return "nothing"
	}
	if err != nil {
		return "error " + err.Error()
	}
	return entries(streams[0].Messages)
}

func take(c *redis.Client, consumer, id string, count int64, block time.Duration) ([]redis.XStream, error) {
	return c.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: "workers", Consumer: consumer, Streams: []string{"orders", id}, Count: count, Block: block,
	}).Result()
}

func add(c *redis.Client, id, n string) (string, error) {
	return c.XAdd(ctx, &redis.XAddArgs{Stream: "orders", ID: id, Values: []string{"n", n}}).Result()
}

func patiently[T any](attempt func() (T, error)) T {
	for range 100 {
		answer, err := attempt()
		if err == nil {
			return answer
		}
		time.Sleep(50 * time.Millisecond)
	}
	panic("it never came back")
}

func main() {
	worker, boss, reader := client("worker"), client("boss"), client("reader")
	say("group", said(boss.XGroupCreateMkStream(ctx, "orders", "workers", "$").Result()))
	say("again", said(boss.XGroupCreateMkStream(ctx, "orders", "workers", "$").Result()))
	var added []string
	for _, n := range []string{"1", "2", "3", "4"} {
		id, err := add(boss, n+"-1", n)
		must(err)
		added = append(added, id)
	}
	say("added", strings.Join(added, " "))
	say("small", said(add(boss, "1-1", "x")))
	say("read", read(take(worker, "a", ">", 3, -1)))
	say("own", read(take(worker, "a", "0", 0, -1)))
	say("acked", worker.XAck(ctx, "orders", "workers", "1-1").Val())
	say("acked again", worker.XAck(ctx, "orders", "workers", "1-1").Val())
	pending, err := worker.XPending(ctx, "orders", "workers").Result()
	must(err)
	say("pending", fmt.Sprintf("%d %s %s a=%d", pending.Count, pending.Lower, pending.Higher, pending.Consumers["a"]))
	each, err := worker.XPendingExt(ctx, &redis.XPendingExtArgs{
		Stream: "orders", Group: "workers", Start: "-", End: "+", Count: 10,
	}).Result()
	must(err)
	var shown []string
	for _, one := range each {
		shown = append(shown, fmt.Sprintf("%s %s %d", one.ID, one.Consumer, one.RetryCount))
	}
	say("each", strings.Join(shown, ", "))
	claimed, err := worker.XClaim(ctx, &redis.XClaimArgs{
		Stream: "orders", Group: "workers", Consumer: "b", Messages: []string{"2-1"},
	}).Result()
	must(err)
	say("claimed", entries(claimed))
	taken, cursor, err := worker.XAutoClaim(ctx, &redis.XAutoClaimArgs{
		Stream: "orders", Group: "workers", Consumer: "b", Start: "0",
	}).Result()
	must(err)
	say("autoclaimed", cursor+" "+entries(taken))
	say("rest", read(take(worker, "a", ">", 0, -1)))
	say("then", read(take(worker, "a", ">", 0, 50*time.Millisecond)))
	woken := make(chan string)
	go func() { woken <- read(take(reader, "c", ">", 0, 10*time.Second)) }()
	time.Sleep(200 * time.Millisecond)
	add(boss, "5-1", "5")
	say("woken", <-woken)
	results, err := worker.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.XAdd(ctx, &redis.XAddArgs{Stream: "orders", ID: "6-1", Values: []string{"n", "6"}})
		pipe.XAck(ctx, "orders", "workers", "5-1")
		return nil
	})
	must(err)
	say("transaction", fmt.Sprint(results[0].(*redis.StringCmd).Val(), " ", results[1].(*redis.IntCmd).Val()))
	_, err = worker.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: "nobody", Consumer: "a", Streams: []string{"orders", ">"}, Block: -1,
	}).Result()
	say("lost group", said(nil, err))
	say("drained", read(take(worker, "a", ">", 0, -1)))
	kill := func() { must(boss.Do(ctx, "CLIENT", "KILL", "TYPE", "normal").Err()) }
	kill()
	say("after a kill", patiently(func() (int64, error) { return worker.XLen(ctx, "orders").Result() }))
	killed := make(chan string)
	go func() {
		killed <- entries(patiently(func() ([]redis.XStream, error) { return take(reader, "c", ">", 0, 10*time.Second) })[0].Messages)
	}()
	time.Sleep(200 * time.Millisecond)
	kill()
	time.Sleep(200 * time.Millisecond)
	_, err = add(boss, "7-1", "7")
	must(err)
	say("after a killed read", <-killed)
	must(boss.Do(ctx, "SIM.FAULT", "lose-reply", "XACK", "client", "worker").Err())
	acked := said(worker.XAck(ctx, "orders", "workers", "7-1").Result())
	say("XACK, its reply lost", strings.Split(acked, " ")[0])
	must(boss.Do(ctx, "SIM.FAULT", "lose-reply", "XADD", "client", "worker").Err())
	add(worker, "*", "8")
	say("XADD, its reply lost", len(boss.XRange(ctx, "orders", "8-0", "+").Val()))
}
