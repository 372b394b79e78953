//! The story that every client tells, with redis-rs: see ../../README.md.

use redis::streams::{
    StreamAutoClaimReply, StreamClaimReply, StreamId, StreamPendingCountReply, StreamPendingReply, StreamRangeReply,
    StreamReadReply,
};
use redis::{Client, Cmd, Connection, ConnectionLike, FromRedisValue, RedisResult, Value};
use std::{env, fmt::Display, thread, time::Duration};

/// A connection that is opened again when it broke: a plain one of redis-rs does not do so by itself.
struct Named {
    name: &'static str,
    connection: Option<Connection>,
}

impl Named {
    fn new(name: &'static str) -> Self {
        Named { name, connection: None }
    }

    fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        if !self.connection.as_ref().is_some_and(Connection::is_open) {
            let (port, resp) = (env::args().nth(1).unwrap(), env::args().nth(2).unwrap());
            let mut made = Client::open(format!("redis://127.0.0.1:{port}/?protocol=resp{resp}"))?.get_connection()?;
            redis::cmd("CLIENT").arg("SETNAME").arg(self.name).exec(&mut made)?;
            self.connection = Some(made);
        }
        let answer = command.query(self.connection.as_mut().unwrap());
        if answer.is_err() && !self.connection.as_ref().unwrap().is_open() {
            self.connection = None;
        }
        answer
    }

    fn tell<T: FromRedisValue>(&mut self, line: &str) -> RedisResult<T> {
        self.ask(&command(line))
    }
}

fn command(line: &str) -> Cmd {
    let mut words = line.split(' ');
    let mut made = redis::cmd(words.next().unwrap());
    for word in words {
        made.arg(word);
    }
    made
}

fn say(name: &str, answer: impl Display) {
    println!("{name}: {answer}");
}

fn said<T: Display>(answer: RedisResult<T>) -> String {
    match answer {
        Ok(value) => value.to_string(),
        Err(error) => format!("error {} {}", error.code().unwrap_or(""), error.detail().unwrap_or("")),
    }
}

fn entries(ids: &[StreamId]) -> String {
    let shown: Vec<String> =
        ids.iter().map(|entry| format!("{}={}", entry.id, entry.get::<String>("n").unwrap())).collect();
    if shown.is_empty() { "none".into() } else { shown.join(" ") }
}

fn read(answer: RedisResult<Option<StreamReadReply>>) -> String {
    match answer {
        Ok(Some(reply)) if !reply.keys.is_empty() => entries(&reply.keys[0].ids),
        Ok(_) => "nothing".into(),
        Err(error) => said::<String>(Err(error)),
    }
}

fn patiently<T>(mut attempt: impl FnMut() -> RedisResult<T>) -> T {
    for _ in 0..100 {
        match attempt() {
            Ok(answer) => return answer,
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
    panic!("it never came back")
}

fn pause() {
    thread::sleep(Duration::from_millis(200));
}

fn main() {
    let (mut worker, mut boss) = (Named::new("worker"), Named::new("boss"));
    let create = "XGROUP CREATE orders workers $ MKSTREAM";
    let later = "XREADGROUP GROUP workers c BLOCK 10000 STREAMS orders >";
    let now = "XREADGROUP GROUP workers a STREAMS orders >";
    say("group", said(boss.tell::<String>(create)));
    say("again", said(boss.tell::<String>(create)));
    let added: Vec<String> =
        (1..=4).map(|n| boss.tell(&format!("XADD orders {n}-1 n {n}")).unwrap()).collect();
    say("added", added.join(" "));
    say("small", said(boss.tell::<String>("XADD orders 1-1 n x")));
    say("read", read(worker.tell("XREADGROUP GROUP workers a COUNT 3 STREAMS orders >")));
    say("own", read(worker.tell("XREADGROUP GROUP workers a STREAMS orders 0")));
    say("acked", worker.tell::<i64>("XACK orders workers 1-1").unwrap());
    say("acked again", worker.tell::<i64>("XACK orders workers 1-1").unwrap());
    let pending: StreamPendingReply = worker.tell("XPENDING orders workers").unwrap();
    let StreamPendingReply::Data(pending) = pending else { panic!("nothing is pending") };
    let owner = &pending.consumers[0];
    let whose = format!("{}={}", owner.name, owner.pending);
    say("pending", format!("{} {} {} {whose}", pending.count, pending.start_id, pending.end_id));
    let each: StreamPendingCountReply = worker.tell("XPENDING orders workers - + 10").unwrap();
    let each: Vec<String> =
        each.ids.iter().map(|one| format!("{} {} {}", one.id, one.consumer, one.times_delivered)).collect();
    say("each", each.join(", "));
    say("claimed", entries(&worker.tell::<StreamClaimReply>("XCLAIM orders workers b 0 2-1").unwrap().ids));
    let taken: StreamAutoClaimReply = worker.tell("XAUTOCLAIM orders workers b 0 0").unwrap();
    say("autoclaimed", format!("{} {}", taken.next_stream_id, entries(&taken.claimed)));
    say("rest", read(worker.tell(now)));
    say("then", read(worker.tell("XREADGROUP GROUP workers a BLOCK 50 STREAMS orders >")));
    let mut reader = Named::new("reader");
    let woken = thread::spawn(move || (read(reader.tell(later)), reader));
    pause();
    boss.tell::<String>("XADD orders 5-1 n 5").unwrap();
    let (text, mut reader) = woken.join().unwrap();
    say("woken", text);
    let mut lines = redis::pipe();
    lines.atomic().add_command(command("XADD orders 6-1 n 6")).add_command(command("XACK orders workers 5-1"));
    let (id, count): (String, i64) = lines.query(worker.connection.as_mut().unwrap()).unwrap();
    say("transaction", format!("{id} {count}"));
    say("lost group", said(worker.tell::<String>("XREADGROUP GROUP nobody a STREAMS orders >")));
    say("drained", read(worker.tell(now)));
    boss.tell::<Value>("CLIENT KILL TYPE normal").unwrap();
    say("after a kill", patiently(|| worker.tell::<i64>("XLEN orders")));
    let killed = thread::spawn(move || patiently(|| reader.tell::<StreamReadReply>(later)));
    pause();
    boss.tell::<Value>("CLIENT KILL TYPE normal").unwrap();
    pause();
    boss.tell::<String>("XADD orders 7-1 n 7").unwrap();
    say("after a killed read", entries(&killed.join().unwrap().keys[0].ids));
    patiently(|| worker.tell::<i64>("XLEN orders")); // the second kill met it, too
    boss.tell::<Value>("SIM.FAULT lose-reply XACK client worker").unwrap();
    let acked = said(worker.tell::<i64>("XACK orders workers 7-1"));
    say("XACK, its reply lost", acked.split(' ').next().unwrap());
    boss.tell::<Value>("SIM.FAULT lose-reply XADD client worker").unwrap();
    let _ = worker.tell::<String>("XADD orders * n 8");
    say("XADD, its reply lost", boss.tell::<StreamRangeReply>("XRANGE orders 8-0 +").unwrap().ids.len());
}
