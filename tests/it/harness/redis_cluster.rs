//! A cluster of Redis: three servers with a replica each, of the test's own.

use std::net::TcpListener;

use redis::cluster::ClusterClient;
use redis::{FromRedisValue, RedisResult};

use super::redis::Redis;

/// Servers that have keys; as many follow them.
const PRIMARIES: usize = 3;
const SLOTS: usize = 16_384;

/// A cluster that is killed with its test.
pub(crate) struct RedisCluster {
    servers: Vec<Redis>,
    ports: Vec<u16>,
}

impl RedisCluster {
    /// Starts one; returns when each server knows the others and has its replica.
    pub(crate) async fn start() -> Self {
        // Held until all are known, so that they differ.
        let free = || TcpListener::bind("127.0.0.1:0").unwrap();
        let held: Vec<_> = (0..4 * PRIMARIES).map(|_| free()).collect();
        let ports: Vec<u16> = held.iter().map(|port| port.local_addr().unwrap().port()).collect();
        drop(held);
        let (ports, buses) = ports.split_at(2 * PRIMARIES);
        let start = |(port, bus): (&u16, &u16)| {
            let (port, bus) = (port.to_string(), bus.to_string());
            let listens = ["--bind", "127.0.0.1", "--port", &port, "--cluster-port", &bus];
            let cluster = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];
            Redis::start(&[listens.as_slice(), cluster.as_slice()].concat())
        };
        let servers: Vec<Redis> = ports.iter().zip(buses).map(start).collect();
        let this = Self { servers, ports: ports.to_vec() };
        for (at, server) in this.servers.iter().enumerate().take(PRIMARIES) {
            let [first, last] = [at, at + 1].map(|at| at * SLOTS / PRIMARIES);
            let (first, last) = (first.to_string(), (last - 1).to_string());
            let _: () = server.ask(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await.unwrap();
        }
        for (port, bus) in ports.iter().zip(buses).skip(1) {
            let (port, bus) = (port.to_string(), bus.to_string());
            let meet = ["CLUSTER", "MEET", "127.0.0.1", &port, &bus];
            let _: () = this.servers[0].ask(&meet).await.unwrap();
        }
        let all = format!("cluster_known_nodes:{}", ports.len());
        this.each_says(&["CLUSTER", "INFO"], &all).await;
        for (primary, replica) in this.servers.iter().zip(&this.servers[PRIMARIES..]) {
            let id: String = primary.ask(&["CLUSTER", "MYID"]).await.unwrap();
            let _: () = replica.ask(&["CLUSTER", "REPLICATE", &id]).await.unwrap();
        }
        this.each_says(&["CLUSTER", "INFO"], "cluster_state:ok").await;
        for replica in &this.servers[PRIMARIES..] {
            says(replica, &["INFO", "replication"], "master_link_status:up").await;
        }
        this
    }

    async fn each_says(&self, words: &[&str], what: &str) {
        for server in &self.servers {
            says(server, words, what).await;
        }
    }

    /// Its address, with two of the servers.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{},127.0.0.1:{}", self.ports[0], self.ports[1])
    }

    /// Returns a server that has keys.
    pub(crate) fn primary(&self) -> &Redis {
        &self.servers[PRIMARIES - 1]
    }

    /// Kills the server that has a key.
    pub(crate) async fn kill_that_has(&mut self, key: &str) {
        let slot: usize = self.servers[0].ask(&["CLUSTER", "KEYSLOT", key]).await.unwrap();
        let at = (0..PRIMARIES).find(|at| slot < (at + 1) * SLOTS / PRIMARIES).unwrap();
        self.servers[at].kill();
    }

    /// Asks whichever server has the key.
    pub(crate) async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        let servers = self.ports.iter().map(|port| format!("redis://127.0.0.1:{port}"));
        let mut connection = ClusterClient::new(servers)?.get_async_connection().await?;
        redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await
    }
}

/// Waits until a server says something.
async fn says(server: &Redis, words: &[&str], what: &str) {
    while !server.ask::<String>(words).await.unwrap().contains(what) {
        tokio::task::yield_now().await;
    }
}
