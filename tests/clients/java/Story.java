import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.params.XAddParams;
import redis.clients.jedis.params.XAutoClaimParams;
import redis.clients.jedis.params.XClaimParams;
import redis.clients.jedis.params.XPendingParams;
import redis.clients.jedis.params.XReadGroupParams;
import redis.clients.jedis.resps.StreamEntry;
import redis.clients.jedis.util.SafeEncoder;

/** The story that every client tells, with Jedis: see ../README.md. */
public final class Story {
  private static String[] where;

  private static Jedis client(String name) {
    var protocol = where[1].equals("3") ? RedisProtocol.RESP3 : RedisProtocol.RESP2;
    var config =
        DefaultJedisClientConfig.builder().clientName(name).protocol(protocol).socketTimeoutMillis(5000)
            .blockingSocketTimeoutMillis(20000).build();
    return new Jedis(new HostAndPort("127.0.0.1", Integer.parseInt(where[0])), config);
  }

  /** A connection that is opened again when it broke: Jedis leaves that to its pool, or to the program. */
  private static final class Client {
    private final String name;
    private Jedis jedis;

    Client(String name) {
      this.name = name;
      this.jedis = client(name);
    }

    Jedis get() {
      if (jedis.isBroken() || !jedis.isConnected()) {
        jedis.close();
        jedis = client(name);
      }
      return jedis;
    }
  }

  private static void say(String name, Object answer) {
    System.out.println(name + ": " + answer);
  }

  private static String said(Callable<?> attempt) {
    try {
      return String.valueOf(attempt.call());
    } catch (Exception error) {
      return "error " + error.getMessage();
    }
  }

  private static <T> T patiently(Callable<T> attempt) throws Exception {
    for (int n = 0; n < 100; n++) {
      try {
        return attempt.call();
      } catch (Exception error) {
        Thread.sleep(50);
      }
    }
    throw new IllegalStateException("it never came back");
  }

  private static String entries(List<StreamEntry> entries) {
    if (entries.isEmpty()) {
      return "none";
    }
    return entries.stream().map(e -> e.getID() + "=" + e.getFields().get("n")).collect(Collectors.joining(" "));
  }

  private static String read(List<Map.Entry<String, List<StreamEntry>>> streams) {
    return streams == null || streams.isEmpty() ? "nothing" : entries(streams.get(0).getValue());
  }

  private static List<Map.Entry<String, List<StreamEntry>>> take(
      Jedis jedis, String consumer, StreamEntryID from, XReadGroupParams params) {
    return jedis.xreadGroup("workers", consumer, params, Map.of("orders", from));
  }

  private static StreamEntryID add(Jedis jedis, String id, String n) {
    return jedis.xadd("orders", XAddParams.xAddParams().id(id), Map.of("n", n));
  }

  private static void command(Jedis jedis, String name, String... words) {
    jedis.sendCommand(() -> SafeEncoder.encode(name), words);
  }

  public static void main(String[] args) throws Exception {
    where = args;
    var worker = new Client("worker");
    var boss = new Client("boss");
    var reader = new Client("reader");
    var fresh = StreamEntryID.XREADGROUP_UNDELIVERED_ENTRY;
    var now = XReadGroupParams.xReadGroupParams();
    var later = XReadGroupParams.xReadGroupParams().block(10000);
    Callable<?> create = () -> boss.get().xgroupCreate("orders", "workers", StreamEntryID.XGROUP_LAST_ENTRY, true);
    say("group", said(create));
    say("again", said(create));
    var added = List.of("1", "2", "3", "4").stream().map(n -> add(boss.get(), n + "-1", n).toString());
    say("added", added.collect(Collectors.joining(" ")));
    say("small", said(() -> add(boss.get(), "1-1", "x")));
    say("read", read(take(worker.get(), "a", fresh, XReadGroupParams.xReadGroupParams().count(3))));
    say("own", read(take(worker.get(), "a", new StreamEntryID("0-0"), now)));
    say("acked", worker.get().xack("orders", "workers", new StreamEntryID("1-1")));
    say("acked again", worker.get().xack("orders", "workers", new StreamEntryID("1-1")));
    var pending = worker.get().xpending("orders", "workers");
    say("pending", pending.getTotal() + " " + pending.getMinId() + " " + pending.getMaxId() + " a="
        + pending.getConsumerMessageCount().get("a"));
    var each = worker.get().xpending("orders", "workers", XPendingParams.xPendingParams("-", "+", 10));
    say("each", each.stream().map(e -> e.getID() + " " + e.getConsumerName() + " " + e.getDeliveredTimes())
        .collect(Collectors.joining(", ")));
    say("claimed", entries(worker.get().xclaim(
        "orders", "workers", "b", 0, XClaimParams.xClaimParams(), new StreamEntryID("2-1"))));
    var taken = worker.get().xautoclaim(
        "orders", "workers", "b", 0, new StreamEntryID("0-0"), XAutoClaimParams.xAutoClaimParams());
    say("autoclaimed", taken.getKey() + " " + entries(taken.getValue()));
    say("rest", read(take(worker.get(), "a", fresh, now)));
    say("then", read(take(worker.get(), "a", fresh, XReadGroupParams.xReadGroupParams().block(50))));
    var woken = CompletableFuture.supplyAsync(() -> read(take(reader.get(), "c", fresh, later)));
    Thread.sleep(200);
    add(boss.get(), "5-1", "5");
    say("woken", woken.get());
    var transaction = worker.get().multi();
    transaction.xadd("orders", XAddParams.xAddParams().id("6-1"), Map.of("n", "6"));
    transaction.xack("orders", "workers", new StreamEntryID("5-1"));
    say("transaction", transaction.exec().stream().map(String::valueOf).collect(Collectors.joining(" ")));
    say("lost group", said(() -> worker.get().xreadGroup("nobody", "a", now, Map.of("orders", fresh))));
    say("drained", read(take(worker.get(), "a", fresh, now)));
    command(boss.get(), "CLIENT", "KILL", "TYPE", "normal");
    say("after a kill", patiently(() -> worker.get().xlen("orders")));
    var killed = CompletableFuture.supplyAsync(() -> {
      try {
        return patiently(() -> read(take(reader.get(), "c", fresh, later)));
      } catch (Exception error) {
        return "error " + error.getMessage();
      }
    });
    Thread.sleep(200);
    command(boss.get(), "CLIENT", "KILL", "TYPE", "normal");
    Thread.sleep(200);
    add(boss.get(), "7-1", "7");
    say("after a killed read", killed.get());
    patiently(() -> worker.get().xlen("orders")); // the second kill met it, too
    command(boss.get(), "SIM.FAULT", "lose-reply", "XACK", "client", "worker");
    say("XACK, its reply lost",
        said(() -> worker.get().xack("orders", "workers", new StreamEntryID("7-1"))).split(" ")[0]);
    command(boss.get(), "SIM.FAULT", "lose-reply", "XADD", "client", "worker");
    said(() -> add(worker.get(), "*", "8"));
    say("XADD, its reply lost", boss.get().xrange("orders", "8-0", "+").size());
    System.exit(0);
  }
}
