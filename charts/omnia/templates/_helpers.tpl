{{- define "omnia.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 46 | trimSuffix "-" -}}
{{- end -}}

{{- define "omnia.fullname" -}}
{{- /* With "-operator-metrics" behind it, it is still the name of a Service. */ -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 46 | trimSuffix "-" -}}
{{- else if contains (include "omnia.name" .) .Release.Name -}}
{{- .Release.Name | trunc 46 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "omnia.name" .) | trunc 46 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "omnia.operator" -}}
{{- printf "%s-operator" (include "omnia.fullname" .) -}}
{{- end -}}

{{- define "omnia.gateway" -}}
{{- printf "%s-gateway" (include "omnia.fullname" .) -}}
{{- end -}}

{{- define "omnia.gatewaySelectorLabels" -}}
app.kubernetes.io/name: {{ include "omnia.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: gateway
{{- end -}}

{{- define "omnia.gatewayLabels" -}}
{{- $own := merge (include "omnia.gatewaySelectorLabels" . | fromYaml) (include "omnia.ownLabels" . | fromYaml) -}}
{{- toYaml (merge $own (default dict .Values.commonLabels)) -}}
{{- end -}}

{{- define "omnia.testLabels" -}}
app.kubernetes.io/name: {{ include "omnia.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: test
{{- end -}}

{{- define "omnia.testPeer" -}}
{{- /* The pod of `helm test`, as a NetworkPolicy names who may connect. */ -}}
namespaceSelector:
  matchLabels:
    kubernetes.io/metadata.name: {{ .Release.Namespace }}
podSelector:
  matchLabels:
    {{- include "omnia.testLabels" . | nindent 4 }}
{{- end -}}

{{- define "omnia.gatewayKey" -}}
{{- /* Not empty: the gateway proves to agents who its clients are, and needs the key that they believe. */ -}}
{{- with .Values.gateway -}}
{{- if and .enabled (or .auth.jwt.issuer .auth.apiKeysSecret .api.enabled) -}}
omnia-gateway-key
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "omnia.selectorLabels" -}}
app.kubernetes.io/name: {{ include "omnia.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "omnia.ownLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "omnia.selectorLabels" . }}
{{- end -}}

{{- define "omnia.labels" -}}
{{- /* What selectors and Helm go by stays as it is. */ -}}
{{- toYaml (merge (include "omnia.ownLabels" . | fromYaml) (default dict .Values.commonLabels)) -}}
{{- end -}}

{{- define "omnia.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "omnia.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "omnia.operator" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "omnia.env" -}}
{{- /* What extraEnv names is not there twice: API servers refuse that, or merge it wrongly later. */ -}}
{{- $given := list -}}
{{- range .Values.extraEnv -}}
{{- $given = append $given .name -}}
{{- end -}}
{{- $env := list -}}
{{- range include "omnia.ownEnv" . | fromYamlArray -}}
{{- if not (has .name $given) -}}
{{- $env = append $env . -}}
{{- end -}}
{{- end -}}
{{- toYaml (concat $env (default list .Values.extraEnv)) -}}
{{- end -}}

{{- define "omnia.ownEnv" -}}
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_UID
  valueFrom:
    fieldRef:
      fieldPath: metadata.uid
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
- name: NODE_OPTIONS
  # New objects have little room: most are dropped at once, and what is kept fills the rest.
  value: --max-old-space-size={{ int64 .Values.heapMegabytes }} --max-semi-space-size=4
{{- end -}}
