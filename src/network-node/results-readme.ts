/** What stands beside the data of a campaign. */
export const README = `# Results of a campaign

- \`scenario.json\`: the scenario, without parameters
- \`campaign.json\`: the seed, the sweeps and the repetitions: what runs there are
- \`runs*.jsonl\`: a line of JSON for each run: \`format\` (1), \`id\` (hash of scenario, parameters, seed
  and version), \`scenario\` (its hash), \`parameters\`, \`seed\`, \`status\` (\`done\`, or \`failed\` with
  \`error\`), \`tungram\`, \`node\`, \`host\`, \`time\` (ms), \`flows\`, the figures of each flow, and
  \`hops\`, those of each direction of each cable
- \`flows.csv\`, \`hops.csv\`: the same as tables, a row for each flow, and each direction, of each run;
  when no run is missing
- \`packets/ID.csv\`, \`.jsonl\`: with --packets, a row for each datagram of the run ID: \`flow\`,
  \`number\`, \`sent\`, \`received\` (ms; none when lost), \`length\` (bytes of payload)
- \`results.json\`: the means of all runs of each combination, with their intervals; when none is
  missing

\`tungram sim\` goes on with it when it is called
again in the same way; \`tungram sim merge DIR…\` joins folders. The JSON Schema of all is
\`docs/results.schema.json\` of the package tungram.

pandas (1.5 and newer):

    import pandas as pd
    flows = pd.read_csv('flows.csv')
    lost = flows.groupby(['parameters.loss', 'name'])['lost'].mean()  # of a sweep of loss

    import glob, json  # all that was kept, of campaigns that are not whole too
    lines = [line for name in glob.glob('runs*.jsonl') for line in open(name)]
    runs = [run for run in map(json.loads, lines) if run['status'] == 'done']
    hops = pd.json_normalize(runs, 'hops', ['id', 'seed', 'parameters'], record_prefix='hop.')

R, with jsonlite for what is not whole:

    flows <- read.csv('flows.csv')
    lost <- aggregate(lost ~ parameters.loss + name, flows, mean)

    library(jsonlite)
    lines <- unlist(lapply(Sys.glob('runs*.jsonl'), readLines))
    runs <- fromJSON(paste0('[', paste(lines, collapse = ','), ']'))
    waits <- runs$hops[[1]]$queue$wait

DuckDB:

    SELECT parameters, seed, unnest(flows, recursive := true)
    FROM read_json('runs*.jsonl', format = 'newline_delimited');

    SELECT parameters, flow, avg(received - sent) AS latency, count(*) - count(received) AS lost
    FROM read_csv('packets/*.csv', filename = true) AS packets
    JOIN read_json('runs*.jsonl', format = 'newline_delimited') AS runs
      ON contains(packets.filename, runs.id)
    GROUP BY ALL ORDER BY ALL;

    -- for other programs
    COPY (SELECT id, parameters, seed, unnest(flows) AS flow FROM read_json('runs*.jsonl',
      format = 'newline_delimited')) TO 'flows.parquet' (FORMAT parquet);
`
