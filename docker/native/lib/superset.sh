# Superset: its Python packages, its database, the server.
# shellcheck shell=bash disable=SC2154

# A digest of what determines the Python packages: when it changes they are installed again.
superset_stamp() { "$python" --version && cat "$docker_dir/superset/requirements.txt" "$docker_dir/superset/constraints.txt"; }

# Without Python both sides would be empty.
superset_complete() { [[ -s $venv/stamp && $(superset_stamp 2>/dev/null) == "$(cat "$venv/stamp")" ]]; }

install_superset() {
    "$python" -m venv "$venv" && "$venv/bin/pip" install -r "$docker_dir/superset/requirements.txt" \
        -c "$docker_dir/superset/constraints.txt" "apache-superset==$SUPERSET_VERSION"
}

pip_progress() {
    local log=$cache/pip-superset.log
    if grep -q '^Installing collected' "$log"; then
        printf 'all packages are here, pip unpacks them: %s MB, of about 815' "$(folder_mb "$venv")"
    else
        printf 'pip has %s of %s packages' "$(grep -c '^Collecting ' "$log")" "$(grep -c == "$docker_dir/superset/constraints.txt")"
    fi
}

provision_superset() { "$venv/bin/python" "$docker_dir/superset/provision.py" "$1" </dev/null 9>&-; }

provision_progress() {
    local log=$state/logs/superset-provision.log step
    step=$(grep -a '^step ' "$log" | tail -n 1 || true)
    printf '%s' "${step:-step 1 of 5: Superset loads its packages}"
    if [[ $step == *tables* ]]; then printf ', %s of about 345 changes to them' "$(grep -ac 'Running upgrade' "$log" || true)"; fi
}

fetch_superset() {
    local begin=$SECONDS
    superset_complete && return
    say "installing Superset with pip into $venv"
    rm -rf "$venv"
    with_progress pip_progress logged "$cache/pip-superset.log" install_superset ||
        { tail -n 25 "$cache/pip-superset.log" >&2; fail "pip could not install Superset (the whole log: $cache/pip-superset.log)"; }
    superset_stamp >"$venv/stamp"
    say "  done in $((SECONDS - begin)) s"
}

# Superset's database is set up again when the bundle, the settings or the packages have changed, or when a password
# is given.
start_superset() {
    local home=$state/data/superset bundle=$state/conf/superset/bundle wanted
    mkdir -p "$home"
    if [[ ! -s $home/secret_key ]]; then (umask 077 && head -c 32 /dev/urandom | base64 >"$home/secret_key"); fi
    export SUPERSET_HOME=$home SUPERSET_CONFIG_PATH=$docker_dir/superset/superset_config.py SUPERSET_SECRET_KEY TZ=UTC
    export DRUID_ROUTER_ADDRESS=127.0.0.1:$DRUID_ROUTER_PORT
    SUPERSET_SECRET_KEY=$(<"$home/secret_key")
    [[ ${SUPERSET_LANGUAGE:-en} == en || -e $docker_dir/superset/$SUPERSET_LANGUAGE.json ]] || fail "SUPERSET_LANGUAGE=$SUPERSET_LANGUAGE: there are en and es"
    wanted=$(find "$bundle" "$docker_dir/superset"/{superset_config.py,event_sql.py,event_names.json,provision.py,es.json} -type f | sort |
        xargs -d '\n' cat "$venv/stamp" <(printf '%s' "${SUPERSET_LANGUAGE:-en}") | cksum)
    if [[ $wanted != "$(cat "$home/provisioned" 2>/dev/null)" || -n ${SUPERSET_ADMIN_PASSWORD:-} ]]; then
        if [[ -z ${SUPERSET_ADMIN_PASSWORD:-} && ! -e $home/provisioned ]]; then
            new_password=$(head -c 12 /dev/urandom | base64 | tr '+/' 'xy')
        fi
        say "  preparing Superset's database and dashboard"
        SUPERSET_ADMIN_PASSWORD=${SUPERSET_ADMIN_PASSWORD:-$new_password} with_progress provision_progress \
            logged "$state/logs/superset-provision.log" provision_superset "$bundle" || { show_log superset-provision; fail "Superset could not be prepared"; }
        printf '%s\n' "$wanted" >"$home/provisioned"
        # At once, because it is stored nowhere, and later steps may fail.
        if [[ -n $new_password ]]; then say "  password of admin, made up and kept nowhere: $new_password"; fi
    fi
    # One worker: SQLite, and only the admin writes.
    SUPERSET_ADMIN_PASSWORD='' spawn superset "$venv/bin/gunicorn" --name="$state/run/superset" -w 1 -k gthread --threads 8 --timeout 120 \
        --graceful-timeout 5 -b "$(address superset)" --limit-request-line 0 --limit-request-field_size 0 "superset.app:create_app()"
}

# Address of the dashboard with its run filter set to {run}, which tweetblast replaces by the id of a run.
dashboard_of_run() {
    printf 'http://%s/superset/dashboard/tweets/?native_filters=%s' "$(address superset)" \
        '(NATIVE_FILTER-run:(id:NATIVE_FILTER-run,extraFormData:(filters:!((col:run,op:IN,val:!(%27{run}%27)))),filterState:(value:!(%27{run}%27))))'
}

# The dashboards, and the password if it was just made up.
show_superset() {
    say "dashboards, which need no login:"
    say "  tweets live       http://$(address superset)/superset/dashboard/tweets/"
    say "  tweets by label   http://$(address superset)/superset/dashboard/labels/"
    say "  events live       http://$(address superset)/superset/dashboard/events/"
    if [[ -n $new_password ]]; then
        say "login: admin $new_password (another one: stack down superset; SUPERSET_ADMIN_PASSWORD=... stack up superset)"
    fi
}
