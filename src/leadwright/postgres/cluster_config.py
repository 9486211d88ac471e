"""Writes the server's configuration, anew at every start: settings belong to the release, not to the folder.

An operator's own settings go into ``postgres/local.conf`` of the data folder, which is read last and never
written.
"""

import os
import pwd

from leadwright.postgres.cluster_folder import PORT, ClusterFolder, write_owned

ROLE = "leadwright"
DATABASE = "leadwright"
ADMINISTRATOR = "postgres"
"""The cluster's superuser. Leadwright uses ``ROLE``, which is none: no injected statement reads files."""

_SETTINGS = """\
# Written by Leadwright at every start. Your own settings go into local.conf beside this file.

# Reached by its unix socket alone, by those whom access.conf and users.conf name.
listen_addresses = ''
port = {port}
unix_socket_directories = {socket_dir}
unix_socket_permissions = 0700
hba_file = {access}
ident_file = {users}
cluster_name = 'leadwright'
# One server's pool, a worker's and a few commands; each connection costs 2 to 5 MB.
max_connections = 60

# Memory: server and database together stay under 200 MB private, shared buffers aside.
# A quarter of the machine's, from 128 MB to 4 GB: with less, an import into 10 million leads writes pages out itself.
shared_buffers = {shared_buffers}MB
work_mem = 8MB
maintenance_work_mem = 64MB
# What the system's file cache is expected to hold: a hint for the planner, nothing is reserved.
effective_cache_size = {cache}MB
# Processes that this database never needs: logical replication, parallel query for short statements.
max_logical_replication_workers = 0
max_worker_processes = 4
max_parallel_workers_per_gather = 0

# Acknowledged means on disk. Never loosened.
fsync = on
synchronous_commit = on
full_page_writes = on
# Recovery first syncs the folder: one call for the file system, where a thousand fsyncs took 1.2 s.
recovery_init_sync_method = syncfs
# Enough for pg_basebackup of the running cluster.
wal_level = replica
max_wal_senders = 2
max_replication_slots = 0
# Rare checkpoints: after each, the next change of a page logs it whole, the bulk of an import's WAL.
checkpoint_timeout = 15min
max_wal_size = 4GB
# Recycled segments are not created anew during an import.
min_wal_size = 256MB
# Whole pages in the log are what a large random index costs, one a lead after a checkpoint. The binaries can compress
# them by pglz alone: 128 microseconds a lead instead of 66 with 10 million there, for 4.0 kB instead of 6.9.
wal_compression = off
wal_buffers = 16MB

# Solid-state disks; statements of a few milliseconds, for which compiling costs more than it gains.
random_page_cost = 1.1
jit = off

# A lead's row is rewritten at every step, so vacuum comes early and often, in small rounds.
autovacuum_naptime = 30s
autovacuum_max_workers = 2
autovacuum_vacuum_scale_factor = 0.05
autovacuum_analyze_scale_factor = 0.05
autovacuum_vacuum_insert_scale_factor = 0.1

# A client killed in the middle must not hold locks, nor vacuum back, until somebody looks.
client_connection_check_interval = 5s
idle_in_transaction_session_timeout = 10min

# The log holds what the server does and never what is in it: no statements, no parameters, no row values in
# details, and no messages of failed statements, which quote their input. The client gets those.
logging_collector = on
log_destination = 'stderr'
log_directory = {log}
log_filename = 'postgresql-%u.log'
log_rotation_age = 1d
log_truncate_on_rotation = on
log_file_mode = 0600
log_line_prefix = '%m [%p] '
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_statement = none
log_min_duration_statement = -1
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_lock_waits = on

# One answer everywhere, whatever the machine's settings are.
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, mdy'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.simple'
"""

_SINCE_18 = """\

# Reads are few and cached; the default would keep three more processes for them.
io_method = sync
"""

_OWN_SETTINGS = """\

include_if_exists = 'local.conf'
"""

_ACCESS = """\
# Written by Leadwright at every start. The kernel says who connects; users.conf says who may.
local all all peer map=leadwright
"""


def write_configuration(folder: ClusterFolder, major: int) -> None:
    """For the server alone to read: the files lie in the data folder, so only its owner can change them."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    text = _SETTINGS.format(
        port=PORT,
        shared_buffers=min(4096, max(128, memory // 4)),
        cache=max(512, memory // 2),
        socket_dir=_quoted('"' + str(folder.socket_dir).replace('"', '""') + '"'),
        access=_quoted(str(folder.access)),
        users=_quoted(str(folder.users)),
        log=_quoted(str(folder.log)),
    )
    mode = 0o600 if folder.user.uid == folder.path.stat().st_uid else 0o644
    write_owned(folder.config, text + (_SINCE_18 if major >= 18 else "") + _OWN_SETTINGS, mode)
    write_owned(folder.access, _ACCESS, mode)
    write_owned(folder.users, _user_map(folder), mode)


def _user_map(folder: ClusterFolder) -> str:
    """Who may be whom: the owner of the data folder, and root, who could anyway.

    A user who only stands in for root is not named: other services may run as that user too.
    """
    owner = [folder.user.name] if folder.user.uid == folder.path.stat().st_uid else []
    lines = [
        f'leadwright "{name}" {role}\n'
        for name in dict.fromkeys([*owner, _name_of_root()])
        for role in (ROLE, ADMINISTRATOR)
    ]
    return "# Written by Leadwright at every start: map, system user, role.\n" + "".join(lines)


def _name_of_root() -> str:
    return pwd.getpwuid(0).pw_name


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
